"""Data classes as JSON, and back: strictly, so that a file of another make is refused with the place named."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from typing import Any, Callable, Tuple, Type, Union, get_args, get_origin, get_type_hints


def plain(value: Any) -> Any:
    """Return data classes and named tuples as JSON has them; what is None is left out."""
    if dataclasses.is_dataclass(value):
        found = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: plain(one) for name, one in found.items() if one is not None}
    if hasattr(value, "_asdict"):
        return {name: plain(one) for name, one in value._asdict().items()}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def made(kind: Any, value: Any, where: str) -> Any:
    """Return what a JSON value means as ``kind``. Raises ValueError that names the place, ``where`` and below."""
    return _maker(kind)(value, where)


Make = Callable[[Any, str], Any]


@lru_cache(maxsize=256)
def _maker(kind: Any) -> Make:
    """Return what makes values of a kind: worked out once, for there may be thousands."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Union:
        return _optional(_maker(arguments[0]))
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return _several(origin, _maker(arguments[0]))
    if origin is tuple:
        return _row(tuple(map(_maker, arguments)))
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        return _object(kind)
    return _scalar(kind)


def _optional(make: Make) -> Make:
    return lambda value, where: None if value is None else make(value, where)


def _several(origin: Type[Any], make: Make) -> Make:
    def several(value: Any, where: str) -> Any:
        _check_list(value, where)
        return origin([make(one, f"{where}[{number}]") for number, one in enumerate(value)])

    return several


def _row(makes: Tuple[Make, ...]) -> Make:
    def row(value: Any, where: str) -> Any:
        _check_list(value, where)
        if len(value) != len(makes):
            raise ValueError(f"{where} is not a list of {len(makes)}")
        return tuple(make(one, f"{where}[{number}]") for number, (make, one) in enumerate(zip(makes, value)))

    return row


def _check_list(value: Any, where: str) -> None:
    if not isinstance(value, list):
        raise ValueError(f"{where} is not a list")


def _scalar(kind: Type[Any]) -> Make:
    def scalar(value: Any, where: str) -> Any:
        if type(value) is not kind:
            raise ValueError(f"{where} is {json.dumps(value)[:60]}, not of the kind {kind.__name__}")
        return value

    return scalar


def _object(kind: Type[Any]) -> Make:
    makes = {name: _maker(hint) for name, hint in get_type_hints(kind).items()}
    required = _required(kind)

    def whole(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"{where} is not an object")
        given = {}
        for name in value:
            make = makes.get(name)
            if make is None:
                raise ValueError(f"{where} has the key {name!r}, which is unknown")
            try:
                given[name] = make(value[name], "")
            except ValueError:
                # where it was is put together only when somebody has to hear of it
                make(value[name], f"{where}.{name}")
                raise
        missing = [name for name in required if name not in given]
        if missing:
            raise ValueError(f"{where} lacks the key {missing[0]!r}")
        return kind(**given)

    return whole


def _required(kind: Any) -> Tuple[str, ...]:
    if hasattr(kind, "_fields"):
        return tuple(name for name in kind._fields if name not in kind._field_defaults)
    return tuple(field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING)
