"""Offers of clouds as a JSON file: for bug reports, for tests, and to look at what a cloud told."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Type, Union, get_args, get_origin, get_type_hints

from fedcloud_agent.clouds.offer import CloudOffer
from fedcloud_agent.errors import RemoteDataError

_MARK = "fedcloud-agent offers"
FORMAT = 1


@dataclass(frozen=True)
class NamedOffer:
    """The offer of one configured cloud."""

    name: str
    """Under which the site configured it."""
    host: str
    """Of its endpoint, as ``Cloud.host`` tells."""
    cloud_type: str
    offer: CloudOffer


def encode(offers: Sequence[NamedOffer]) -> Dict[str, object]:
    """Return offers as a JSON document. What a cloud did not tell is left out."""
    return {"what": _MARK, "format": FORMAT, "clouds": [_plain(one) for one in offers]}


def read(path: Path) -> List[NamedOffer]:
    """Return the offers that a file holds. Raises RemoteDataError, naming the place, when it is not one of ours."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise RemoteDataError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RemoteDataError(f"{path} is not JSON: {error}") from error
    try:
        if not isinstance(document, dict) or document.get("what") != _MARK or document.get("format") != FORMAT:
            raise ValueError(f"it does not begin as a file of offers of format {FORMAT} does")
        made: List[NamedOffer] = _made(List[NamedOffer], document.get("clouds"), "clouds")
    except ValueError as error:
        raise RemoteDataError(
            f"{path} is no file of offers: {error}",
            hint="'fedcloud-agent infosys render --format offer' writes one",
        ) from error
    return made


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        found = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: _plain(one) for name, one in found.items() if one is not None}
    if hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


@lru_cache(maxsize=64)
def _hints(kind: Type[Any]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _made(kind: Any, value: Any, where: str) -> Any:
    """Return what a JSON value means as ``kind``. Raises ValueError that names the place."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Union:
        return None if value is None else _made(arguments[0], value, where)
    if origin in (tuple, list):
        if not isinstance(value, list):
            raise ValueError(f"{where} is not a list")
        if origin is list or arguments[1:] == (...,):
            items = [_made(arguments[0], one, f"{where}[{number}]") for number, one in enumerate(value)]
        else:
            if len(value) != len(arguments):
                raise ValueError(f"{where} is not a list of {len(arguments)}")
            items = [_made(of, one, f"{where}[{number}]") for number, (of, one) in enumerate(zip(arguments, value))]
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
    made = {name: _made(hints[name], one, f"{where}.{name}") for name, one in value.items()}
    missing = [name for name in _required(kind) if name not in made]
    if missing:
        raise ValueError(f"{where} lacks the key {missing[0]!r}")
    return kind(**made)


def _required(kind: Any) -> Tuple[str, ...]:
    if hasattr(kind, "_fields"):
        return tuple(name for name in kind._fields if name not in kind._field_defaults)
    return tuple(field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING)
