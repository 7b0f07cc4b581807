"""Data classes as JSON, and back: strictly, so that a file of another make is refused with the place named."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from typing import Any, Mapping, Tuple, Type, Union, get_args, get_origin, get_type_hints


def plain(value: Any) -> Any:
    """Return data classes and named tuples as JSON has them; what is None is left out."""
    if dataclasses.is_dataclass(value):
        found = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: plain(one) for name, one in found.items() if one is not None}
    if hasattr(value, "_asdict"):
        return {name: plain(one) for name, one in value._asdict().items()}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


@lru_cache(maxsize=64)
def _hints(kind: Type[Any]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def made(kind: Any, value: Any, where: str) -> Any:
    """Return what a JSON value means as ``kind``. Raises ValueError that names the place, ``where`` and below."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Union:
        return None if value is None else made(arguments[0], value, where)
    if origin in (tuple, list):
        if not isinstance(value, list):
            raise ValueError(f"{where} is not a list")
        if origin is list or arguments[1:] == (...,):
            items = [made(arguments[0], one, f"{where}[{number}]") for number, one in enumerate(value)]
        else:
            if len(value) != len(arguments):
                raise ValueError(f"{where} is not a list of {len(arguments)}")
            items = [made(of, one, f"{where}[{number}]") for number, (of, one) in enumerate(zip(arguments, value))]
        return items if origin is list else tuple(items)
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        return _object(kind, value, where)
    if type(value) is not kind:
        raise ValueError(f"{where} is {json.dumps(value)[:60]}, not of the kind {kind.__name__}")
    return value


def _object(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is not an object")
    hints = _hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise ValueError(f"{where} has the key {unknown[0]!r}, which is unknown")
    given = {name: made(hints[name], one, f"{where}.{name}") for name, one in value.items()}
    missing = [name for name in _required(kind) if name not in given]
    if missing:
        raise ValueError(f"{where} lacks the key {missing[0]!r}")
    return kind(**given)


def _required(kind: Any) -> Tuple[str, ...]:
    if hasattr(kind, "_fields"):
        return tuple(name for name in kind._fields if name not in kind._field_defaults)
    return tuple(field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING)
