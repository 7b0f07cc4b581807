"""One connection to a directory: searches that are streamed, and changes that are sent in a row."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections import deque
from types import TracebackType
from typing import Any, Deque, Iterable, Iterator, List, Optional, Sequence, Tuple, Type

from fedcloud_agent.ldap.errors import INVALID_DN, BusyDirectoryError, LdapError, code_of, silent, translated, words_of
from fedcloud_agent.ldap.operations import Add, Delete, Found, Operation, Refused

IN_FLIGHT = 64
"""How many operations may wait for their answer: a server ends a connection that sends on and on and reads nothing."""

_SCOPES = {"base": 0, "onelevel": 1, "subtree": 2}
_REPLACE = 2
_ENTRY, _RESULT = 0x64, 0x65
"""The kinds of messages of RFC 4511 that a search is answered with; references to other servers are passed over."""


class Directory:
    """A connection, open within a with block: anonymous, or as the user that we are (SASL EXTERNAL, by ``ldapi``).

    ``timeout`` bounds, in seconds, each wait for a sign of life. Every method raises LdapError; after one that tells
    of silence or a break the connection is of no more use.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, external: bool = False) -> None:
        self.url = url
        self._timeout = timeout
        self._external = external
        self._connection: Any = None

    def __enter__(self) -> Directory:
        import ldap

        try:
            self._connection = ldap.initialize(self.url)
            self._connection.set_option(ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3)
            self._connection.set_option(ldap.OPT_REFERRALS, 0)
            self._connection.set_option(ldap.OPT_NETWORK_TIMEOUT, self._timeout)
            self._connection.set_option(ldap.OPT_TIMEOUT, self._timeout)
            number = self._connection.simple_bind("", "")
            self._bound()
            self._connection.result4(number, 1, self._timeout)
            if self._external:
                self._connection.sasl_non_interactive_bind_s("EXTERNAL")
        except ldap.LDAPError as error:
            self._close()
            raise translated(error, self.url, "let us in") from error
        except (OSError, ValueError) as error:
            self._close()
            raise LdapError(f"the directory {self.url} cannot be reached: {error}") from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._close()

    def search(
        self,
        base: str,
        *,
        scope: str = "subtree",
        filter: str = "(objectClass=*)",
        attributes: Optional[Sequence[str]] = None,
        deadline: float = 30.0,
    ) -> Iterator[Found]:
        """Yield what a search finds, as it comes; ``scope`` is base, onelevel or subtree.

        Raises NoSuchEntryError when the base is not there, and LdapError when the answer is not complete: entries that
        were yielded before are then not all there are.
        """
        import ldap

        what = f"search {base or 'its root'} within {deadline:g} s"
        until = time.monotonic() + deadline
        names = None if attributes is None else list(attributes)
        number: Optional[int] = None
        try:
            number = self._connection.search_ext(base, _SCOPES[scope], filter, names)
            while True:
                kind, data, _, _, _, _ = self._connection.result4(number, 0, self._wait(until, what))
                if kind == _ENTRY:
                    for dn, found in data:
                        yield Found(dn, {name: tuple(map(_text, values)) for name, values in found.items()})
                elif kind == _RESULT:
                    number = None
                    return
        except ldap.LDAPError as error:
            if code_of(error) >= 0:
                number = None
            raise translated(error, self.url, what) from error
        except UnicodeError as error:
            raise LdapError(f"the directory {self.url} answered with a name that is no text: {error}") from error
        finally:
            if number is not None:
                # whoever asked has enough, or gives up: the server need not go on
                with contextlib.suppress(ldap.LDAPError):
                    self._connection.abandon(number)

    def phase(self, operations: Iterable[Operation], *, deadline: float = 60.0) -> List[Refused]:
        """Send operations one after the other without waiting for each, and return those that were refused.

        They are done in any order, so none of them may need another one. Every answer was read and checked when this
        returns; when it raises, some were done and some were not.
        """
        import ldap

        what = f"make changes within {deadline:g} s"
        until = time.monotonic() + deadline
        refused: List[Refused] = []
        flight: Deque[Tuple[int, Operation]] = deque()
        try:
            for operation in operations:
                if len(flight) == IN_FLIGHT:
                    self._land(flight, refused, until, what)
                try:
                    flight.append((self._send(operation), operation))
                except ldap.BUSY:
                    # no word of the server: the kernel does not take what it does not read
                    raise silent(self.url, what) from None
                except (ValueError, TypeError) as error:
                    # a name that no message can carry: the server would have refused it
                    refused.append(Refused(operation, INVALID_DN, f"it cannot be sent: {error}"))
            while flight:
                self._land(flight, refused, until, what)
        except ldap.LDAPError as error:
            raise translated(error, self.url, what) from error
        return refused

    def _send(self, operation: Operation) -> int:
        number: int
        if isinstance(operation, Add):
            entry = [(name, list(map(_bytes, values))) for name, values in operation.attributes.items() if values]
            number = self._connection.add_ext(operation.dn, entry)
        elif isinstance(operation, Delete):
            number = self._connection.delete_ext(operation.dn)
        else:
            changes = [(_REPLACE, one.attribute, list(map(_bytes, one.values)) or None) for one in operation.changes]
            number = self._connection.modify_ext(operation.dn, changes)
        return number

    def _land(self, flight: Deque[Tuple[int, Operation]], refused: List[Refused], until: float, what: str) -> None:
        """Read the answer to the oldest operation in flight."""
        import ldap

        number, operation = flight[0]
        try:
            self._connection.result4(number, 1, self._wait(until, what))
        except ldap.LDAPError as error:
            if code_of(error) < 0:
                raise
            refused.append(Refused(operation, code_of(error), words_of(error)))
        flight.popleft()

    def _wait(self, until: float, what: str) -> float:
        """Return for how long the next answer may be awaited."""
        left = until - time.monotonic()
        if left <= 0:
            raise BusyDirectoryError(f"the directory {self.url} is too slow: it was asked to {what}")
        return min(left, self._timeout)

    def _bound(self) -> None:
        """Bound each read and write of the kernel's as well.

        The library waits for the first byte of an answer only: one that stops in the middle, or a server that reads
        nothing, would hold us for ever.
        """
        seconds, rest = divmod(self._timeout, 1)
        limit = struct.pack("@ll", int(seconds), int(rest * 1e6))
        with socket.socket(fileno=os.dup(self._connection.fileno())) as channel:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def _close(self) -> None:
        import ldap

        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(ldap.LDAPError):
                connection.unbind_ext_s()


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
