"""LDIF (RFC 2849): entries as text, and back."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.infosys.entry import Entry

# leading blank, colon and less-than sign mean something else to readers; trailing blanks get lost
_SAFE = re.compile(r"[\x21-\x39\x3b\x3d-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def line(name: str, value: str) -> str:
    """Return one attribute and its value, in base64 where it must be. Lines are not folded: no reader needs it."""
    if _SAFE.fullmatch(value):
        return f"{name}: {value}\n"
    return f"{name}:: {base64.b64encode(value.encode('utf-8')).decode('ascii')}\n"


def record(entry: Entry) -> str:
    """Return an entry with the empty line that ends it."""
    lines = [line("dn", entry.dn)]
    lines += [line(name, value) for name, values in entry.attributes.items() for value in values]
    return "".join(lines) + "\n"


def parse(text: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries of an LDIF file, as slapcat or ldapsearch -LLL write it, one by one.

    Raises RemoteDataError, naming the line, for what is no LDIF.
    """
    block: List[str] = []
    first = 1
    for number, read in enumerate(_with_end(text), 1):
        if read.strip("\r\n"):
            block.append(read.rstrip("\r\n"))
            continue
        entry = _entry(block, first)
        if entry is not None:
            yield entry
        block, first = [], number + 1


def _with_end(text: Iterable[str]) -> Iterator[str]:
    yield from text
    yield ""


def _entry(block: List[str], first: int) -> Optional[Entry]:
    lines: List[str] = []
    for number, one in enumerate(block, first):
        if one.startswith(" "):
            if not lines:
                raise RemoteDataError(f"line {number} of the LDIF continues a line that is not there")
            lines[-1] += one[1:]
        else:
            lines.append(one)
    pairs = [_pair(one, first) for one in lines if not one.startswith("#")]
    pairs = [one for one in pairs if one[0].lower() not in ("version", "search", "result")]
    if not pairs:
        return None
    if pairs[0][0].lower() != "dn":
        raise RemoteDataError(f"the entry at line {first} of the LDIF does not begin with its dn")
    attributes: Dict[str, List[str]] = {}
    for name, value in pairs[1:]:
        attributes.setdefault(name, []).append(value)
    return Entry(pairs[0][1], {name: tuple(values) for name, values in attributes.items()})


def _pair(text: str, first: int) -> Tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name:
        raise RemoteDataError(f"{text[:60]!r}, in the entry at line {first} of the LDIF, is no attribute")
    if not value.startswith(":"):
        return name, value.lstrip(" ")
    try:
        return name, base64.b64decode(value[1:].strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RemoteDataError(f"the value of {name}, in the entry at line {first} of the LDIF, is not text") from error
