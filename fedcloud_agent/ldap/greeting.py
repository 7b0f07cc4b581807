"""Who answers at an address? One question of LDAP, written by hand.

A server that has just been started, or one that stands where ours should, is asked for its naming contexts, which every
LDAP server tells to everyone (RFC 4512, 5.1). What answers may be anything.
"""

from __future__ import annotations

import socket
import time
from typing import Iterator, List, Optional, Tuple, Union

Address = Union[str, Tuple[str, int]]
"""The path of a socket, or a numeric host and a port."""

_LARGEST = 65536
_SEQUENCE, _OCTETS, _ENTRY, _RESULT = 0x30, 0x04, 0x64, 0x65


class NotLdapError(Exception):
    """Somebody answered, but not in LDAP."""


def naming_contexts(address: Address, *, timeout: float) -> Tuple[str, ...]:
    """Return the naming contexts of the server at an address; ``timeout`` bounds the whole exchange, in seconds.

    Raises OSError when nobody is there, hangs up or says nothing in time, and NotLdapError.
    """
    until = time.monotonic() + timeout
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(timeout)
        channel.connect(address)
        channel.sendall(_QUESTION)
        contexts: List[str] = []
        try:
            for tag, begin, end, data in _messages(channel, until):
                if tag == _ENTRY:
                    contexts += _values(data, begin, end)
                elif tag == _RESULT:
                    return tuple(contexts)
        except (IndexError, ValueError):
            raise NotLdapError("its message is none of LDAP") from None
    raise ConnectionResetError("it hung up before it had answered")


def _messages(channel: socket.socket, until: float) -> Iterator[Tuple[int, int, int, bytes]]:
    """Yield the operation of each message: its tag, and where in the bytes it begins and ends."""
    data = b""
    while True:
        whole = _whole(data)
        while whole is None:
            channel.settimeout(max(until - time.monotonic(), 0.001))
            more = channel.recv(4096)
            if not more and data:
                raise NotLdapError("it broke off in the middle of a message")
            if not more:
                return
            data += more
            whole = _whole(data)
        begin, end = whole
        _, _, after = _element(data, begin)
        yield (*_element(data, after), data)
        data = data[end:]


def _whole(data: bytes) -> Optional[Tuple[int, int]]:
    """Return where the first message's content begins and ends, or None if it has not come whole."""
    if data and data[0] != _SEQUENCE:
        raise NotLdapError("it speaks something else")
    try:
        _, begin, end = _element(data, 0)
    except IndexError:
        return None
    except ValueError:
        raise NotLdapError("it speaks something else") from None
    if end > _LARGEST:
        raise NotLdapError("its message has no end")
    return (begin, end) if len(data) >= end else None


def _element(data: bytes, at: int) -> Tuple[int, int, int]:
    """Return the tag at a place, and where its content begins and ends (BER as LDAP has it: RFC 4511, 5.1)."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4:
            raise ValueError("a length that LDAP does not have")
        if len(data) < at + size:
            raise IndexError
        length = int.from_bytes(data[at : at + size], "big")
        at += size
    return tag, at, at + length


def _values(data: bytes, begin: int, end: int) -> Iterator[str]:
    """Yield every value of every attribute of a found entry."""
    _, _, after = _element(data, begin)
    _, at, stop = _element(data, after)
    while at < min(stop, end):
        _, attribute, at = _element(data, at)
        _, _, after = _element(data, attribute)
        _, value, last = _element(data, after)
        while value < last:
            _, start, value = _element(data, value)
            yield data[start:value].decode("utf-8", "replace")


def _made(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes((tag, len(content))) + content


_QUESTION = _made(
    _SEQUENCE,
    b"\x02\x01\x01",  # the first message of this connection
    _made(
        0x63,  # a search of the entry without a name alone; no dereferencing, size limit 0, time limit 5, with values
        b"\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x05\x01\x01\x00",
        _made(0x87, b"objectClass"),
        _made(_SEQUENCE, _made(_OCTETS, b"namingContexts")),
    ),
)
