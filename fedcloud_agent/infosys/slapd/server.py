"""One running slapd."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Optional, Sequence

from fedcloud_agent import process
from fedcloud_agent.errors import UnreachableError
from fedcloud_agent.infosys.slapd.addresses import Address
from fedcloud_agent.infosys.slapd.configuration import SUFFIX
from fedcloud_agent.infosys.slapd.installation import Installation
from fedcloud_agent.infosys.slapd.side import Side
from fedcloud_agent.infosys.slapd.words import Words
from fedcloud_agent.ldap.greeting import NotLdapError, naming_contexts

_READY = 20.0
"""Seconds in which a slapd has to answer after its start."""
_PATIENCE = 10.0
"""Seconds between the request to end and the end by force."""
_ANSWER = 5.0


class ServerError(UnreachableError):
    """slapd did not come up."""


class Server:
    """A slapd that answered, on the tree of the load ``load``. :meth:`poll` tells when it has ended."""

    def __init__(self, side: Side, load: str, child: process.Child, words: Words) -> None:
        self.side = side
        self.load = load
        self.pid = child.pid
        self.started = time.monotonic()
        self._child = child
        self._words = words

    @classmethod
    def start(cls, found: Installation, side: Side, addresses: Sequence[Address], load: str) -> Server:
        """Start it and wait until it answers. Raises ServerError in its own words, ProcessError."""
        with contextlib.suppress(FileNotFoundError):
            side.socket.unlink()
        urls = " ".join([*(address.url for address in addresses), side.ldapi])
        # what it would say on any level, and on standard error: nothing of what clients do
        argv = [str(found.slapd), "-f", str(side.configuration), "-h", urls, "-d", "none"]
        read, write = os.pipe2(os.O_CLOEXEC)
        try:
            child = process.start(argv, cwd=side.path, stderr=write)
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        server = cls(side, load, child, Words(read))
        try:
            server._await_answer()
        except BaseException:
            server.end()
            raise
        return server

    def answers(self) -> bool:
        """Ask it whether it holds the tree."""
        try:
            return SUFFIX in naming_contexts(str(self.side.socket), timeout=_ANSWER)
        except (OSError, NotLdapError):
            return False

    def poll(self) -> Optional[str]:
        """Return how it ended, in words, or None while it runs."""
        ended = self._child.poll()
        if ended is None:
            return None
        how = process.how(ended.exit_code) if ended.exit_code else "ended"
        said = self._words.last()
        return f"slapd {how}" + (f": {said}" if said else "")

    def hang_up(self) -> None:
        """Let it stop listening at once, serve its clients to the end, and end."""
        self._child.signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it by force."""
        self._child.signal(signal.SIGKILL)

    def end(self) -> None:
        """End it in order, by force if that takes too long."""
        self._child.signal(signal.SIGTERM)
        until = time.monotonic() + _PATIENCE
        while self._child.poll() is None:
            if time.monotonic() > until:
                self.kill()
            time.sleep(0.002)

    def _await_answer(self) -> None:
        until = time.monotonic() + _READY
        while not self.answers():
            ended = self.poll()
            if ended is not None:
                raise ServerError(ended, hint=f"its configuration is {self.side.configuration}")
            if time.monotonic() > until:
                raise ServerError(f"slapd does not answer {_READY:g} s after its start on {self.side.path}")
            time.sleep(0.001)
