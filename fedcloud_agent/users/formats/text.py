"""What the formats have in common: their text, keys of SSH, and values of attributes."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterable, List, Optional, Tuple

from fedcloud_agent.users.refusal import PayloadError


def decoded(data: bytes) -> str:
    """Return UTF-8 text. Raises PayloadError, which names the line alone."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PayloadError(f"line {line} is not UTF-8") from None  # the cause would show the bytes
    return text[1:] if text.startswith("\ufeff") else text


def parsed_json(data: bytes) -> Any:
    """Return a JSON document. Raises PayloadError, also for a key that is given twice in one object."""
    try:
        return json.loads(decoded(data), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise PayloadError(f"line {error.lineno} is not JSON: {error.msg}") from None
    except RecursionError:
        raise PayloadError("the JSON is nested too deep") from None


def _object(pairs: List[Tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PayloadError("an object of the JSON has a key twice")
    return found


def word(value: object) -> Optional[str]:
    """Return a text without blanks around it, a number as text, or None where there is nothing."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def public_keys(values: Iterable[object]) -> Tuple[str, ...]:
    """Return keys of SSH, each one line and once. What has a line break inside could smuggle in another one."""
    found = (value.strip() for value in values if isinstance(value, str))
    return tuple(dict.fromkeys(key for key in found if key and key.isprintable()))


def anonymous(*known: str) -> str:
    """Return an id for someone of whom the format does not say who it is."""
    return "dn:" + hashlib.sha256("\0".join(known).encode("utf-8", "surrogatepass")).hexdigest()[:32]
