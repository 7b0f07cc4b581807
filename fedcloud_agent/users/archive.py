"""A tar archive in memory. Nothing of it ever becomes a path, a link or an owner: members are bytes under a plain name.

Written for what Perun's two senders make (GNU tar, and Python's tarfile with its extended headers), and for nothing
else: what has any other feature of the format is refused.
"""

from __future__ import annotations

import re
import zlib
from typing import Dict

from fedcloud_agent.users.refusal import BAD_ARCHIVE, PushError

MOST_MEMBERS = 64
MOST_BYTES = 256 * 1024 * 1024

_BLOCK = 512
_GZIP = b"\x1f\x8b"
_NAME = re.compile(r"(?:\./)?([A-Za-z0-9_.-]+)")
_FILES = (b"0", b"\0")
_DIRECTORY = b"5"
_EXTENDED = (b"x", b"g")
_HARMLESS = frozenset({"mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"})


def unpack(data: bytes) -> Dict[str, bytes]:
    """Return the regular files of an archive by name; it may be compressed with gzip.

    Raises PushError for an archive that is cut anywhere (both blocks of zeros have to be there), that holds a link, a
    device, a path or a name twice, or that is larger than our limits.
    """
    if data.startswith(_GZIP):
        data = _inflated(data)
    if len(data) > MOST_BYTES:
        raise _refused(f"it is larger than {MOST_BYTES} bytes")
    if not data:
        raise _refused("it is empty")
    members: Dict[str, bytes] = {}
    place = 0
    while True:
        header = data[place : place + _BLOCK]
        if len(header) < _BLOCK:
            raise _refused("it is cut off, or no tar archive")
        if not any(header):
            if len(data) < place + 2 * _BLOCK or any(data[place + _BLOCK : place + 2 * _BLOCK]):
                raise _refused("its end is missing")
            return members
        size = _size(header)
        begin = place + _BLOCK
        content = data[begin : begin + size]
        if len(content) < size:
            raise _refused("it is cut off within a member")
        place = begin + (size + _BLOCK - 1) // _BLOCK * _BLOCK
        kind = header[156:157]
        if kind in _EXTENDED:
            _check_extended(content)
        elif kind == _DIRECTORY:
            if _text(header[:100]) not in (".", "./") or size:
                raise _refused("it holds a directory")
        elif kind in _FILES:
            name = _name(header)
            if name in members:
                raise _refused("a member is in it twice")
            if len(members) == MOST_MEMBERS:
                raise _refused(f"it has more than {MOST_MEMBERS} members")
            members[name] = content
        else:
            raise _refused("it holds something else than regular files")


def _refused(reason: str) -> PushError:
    return PushError(BAD_ARCHIVE, f"the archive on standard input is refused: {reason}")


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(data, MOST_BYTES + 1)
    except zlib.error as error:
        raise _refused("it cannot be decompressed") from error
    if len(plain) > MOST_BYTES:
        raise _refused(f"it is larger than {MOST_BYTES} bytes")
    if not inflater.eof or inflater.unused_data.strip(b"\0"):
        raise _refused("what is compressed is cut off, or followed by something else")
    return plain


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("latin-1")


def _octal(field: bytes) -> int:
    text = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]+", text):
        raise _refused("a number in it cannot be read")
    return int(text, 8)


def _size(header: bytes) -> int:
    if _octal(header[148:156]) != sum(header[:148]) + 8 * 32 + sum(header[156:]):
        raise _refused("it is damaged, or no tar archive")
    return _octal(header[124:136])


def _name(header: bytes) -> str:
    found = _NAME.fullmatch(_text(header[:100]))
    if found is None or found.group(1) in (".", "..") or (header[257:262] == b"ustar" and _text(header[345:500])):
        raise _refused("the name of a member is none that Perun gives")
    return found.group(1)


def _check_extended(content: bytes) -> None:
    """Refuse extended headers that would change what the member is; times and owners mean nothing to us."""
    while content:
        found = re.match(rb"(\d{1,6}) ([A-Za-z0-9_.]{1,64})=", content)
        length = int(found.group(1)) if found else 0
        if found is None or length < found.end() + 1 or content[length - 1 : length] != b"\n":
            raise _refused("an extended header in it cannot be read")
        if found.group(2).decode("ascii") not in _HARMLESS:
            raise _refused("an extended header in it is none that Perun sends")
        content = content[length:]
