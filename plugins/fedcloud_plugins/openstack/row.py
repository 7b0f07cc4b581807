"""What stands in a row of a listing, when it is what it should be. Every function raises ValueError when it is not."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from fedcloud_agent.errors import RemoteDataError

# nothing real is larger; a number beyond is a fault of the sender that would be published
_LARGEST = 2**40


def count(row: Mapping[str, Any], key: str) -> int:
    """Return a number that must be there, zero or more."""
    value = row.get(key)
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise ValueError(f"{key} {value!r:.40} is not a count")
    return value


def told_count(row: Mapping[str, Any], key: str) -> Optional[int]:
    """Return a number that may be missing or null."""
    return None if row.get(key) is None else count(row, key)


def is_text(value: object) -> bool:
    """Tell whether a value is a text that can be written down: JSON may hold half of a character, too."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def text(row: Mapping[str, Any], key: str) -> Optional[str]:
    """Return a text; None when it is missing, null or empty."""
    value = row.get(key)
    if value is not None and not is_text(value):
        raise ValueError(f"{key} {value!r:.40} is not a text")
    return value or None


def id_of(row: Any, what: str) -> str:
    """Return the id of a row. Raises RemoteDataError: rows that cannot be told apart make the whole list worthless."""
    found = row.get("id") if isinstance(row, dict) else None
    if not isinstance(found, str) or not found or not is_text(found):
        raise RemoteDataError(f"{what} without id is in the list: {row!r:.200}")
    return found
