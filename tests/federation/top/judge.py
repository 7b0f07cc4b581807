"""Readers that poll a tree as fast as they can, and judge every answer.

Each search has a connection of its own, as those of a Top have. A refused connection is the one thing that may happen:
somebody knocks all the time, and measures for how long nobody opens. A connection that is closed before anything was
answered is the same to a reader, and counted apart; one that is closed in the midst of an answer is not.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import socket
import struct
import threading
import time
import traceback
from types import SimpleNamespace, TracebackType
from typing import Any, Dict, List, Optional, Sequence, Tuple, Type

import ldap

from fedcloud_agent.infosys.rules import keys
from tests.federation.top.directory import decoded
from tests.federation.top.judgement import EMPTY, Complaint, Expectation, judge
from tests.federation.top.report import Found, Report

KEYS = ("objectClass", *sorted({*keys.IDS, *keys.KEYS, *keys.LISTS}))
"""What names entries and refers to them."""
ERROR = "error"
CUT = "cut"
_SECONDS = 30.0
_LONGEST_LIFE = 3600.0
_KNOCK = 0.005
_PAUSE = 0.005
"""After a refusal, before the next try."""
_RESET = struct.pack("ii", 1, 0)

Raw = List[Tuple[Optional[str], Dict[str, List[bytes]]]]
Address = Tuple[str, int]


class _TurnedAwayError(Exception):
    pass


def _open(address: Address) -> Any:
    """Connect, which may be refused, and say who we are, as ldapsearch -x does."""
    plain = socket.create_connection(address, timeout=_SECONDS)
    plain.settimeout(None)
    connection = ldap.initialize(f"ldap://{address[0]}:{address[1]}", fileno=plain.detach())
    connection.set_option(ldap.OPT_TIMEOUT, _SECONDS)
    try:
        connection.simple_bind_s()
    except ldap.SERVER_DOWN as error:
        connection.unbind_s()
        raise _TurnedAwayError from error
    return connection


def _read(address: Address, base: str, attributes: Optional[Sequence[str]]) -> Raw:
    connection = _open(address)
    try:
        answer: Raw = connection.search_s(base, ldap.SCOPE_SUBTREE, attrlist=attributes and list(attributes))
        return answer
    finally:
        connection.unbind_s()


class _Reader:
    """One reader. What it got is judged unless it is what it got just before."""

    def __init__(self, address: Address, expected: Expectation, attributes: Optional[Sequence[str]]) -> None:
        self._address, self._expected, self._attributes = address, expected, attributes
        self._last: Optional[Raw] = None
        self._verdict: List[Complaint] = []
        self.found = Found()

    def look(self) -> None:
        """Read once."""
        found, began = self.found, time.monotonic()
        try:
            answer = _read(self._address, self._expected.base, self._attributes)
        except ConnectionRefusedError:
            found.refused += 1
            time.sleep(_PAUSE)
        except (_TurnedAwayError, ConnectionResetError):
            found.turned_away += 1
            time.sleep(_PAUSE)
        except ldap.NO_SUCH_OBJECT:
            found.took(0, time.monotonic() - began)
            found.complain([Complaint(EMPTY, f"{self._expected.base} is not there")])
        except ldap.SERVER_DOWN:
            found.complain([Complaint(CUT, "the connection was closed in the midst of an answer")])
        except (ldap.LDAPError, OSError) as error:
            found.complain([Complaint(ERROR, f"{type(error).__name__}: {error}")])
            time.sleep(_PAUSE)
        else:
            found.took(len(answer), time.monotonic() - began)
            if answer != self._last:
                found.judged += 1
                self._last, self._verdict = answer, judge(decoded(answer), self._expected)
            found.complain(self._verdict)


def _serve(reader: _Reader, stopping: Any, progress: Any, results: Any) -> None:
    """Read until told to stop, or until those who would tell us are gone."""
    parent, deadline = os.getppid(), time.monotonic() + _LONGEST_LIFE
    try:
        while not stopping.is_set() and os.getppid() == parent and time.monotonic() < deadline:
            reader.look()
            progress.value = reader.found.answers
    except Exception:
        reader.found.complain([Complaint(ERROR, traceback.format_exc())])
    results.put(reader.found)


class _Door:
    """Knocks, and notes for how long connections were refused."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._since: Optional[float] = None
        self.gaps: List[float] = []

    def watch(self, stopping: threading.Event) -> None:
        while not stopping.wait(_KNOCK):
            self._knock()
        if self._since is not None:
            self.gaps.append(time.monotonic() - self._since)

    def _knock(self) -> None:
        now = time.monotonic()
        with socket.socket() as probe:
            probe.settimeout(_SECONDS)
            # nothing of it is to linger: there are hundreds in a second
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            try:
                probe.connect(self._address)
            except ConnectionRefusedError:
                self._since = now if self._since is None else self._since
                return
            except OSError:
                return
        if self._since is not None:
            self.gaps.append(now - self._since)
            self._since = None


class Judge:
    """So many readers of what listens at a port of 127.0.0.1, in threads or in processes of their own.

    They ask for everything, or for ``attributes`` alone: KEYS is all that is judged, and large trees are read several
    times as often with it. Use it as a context manager; :meth:`report` tells what they found, when they have ended.
    """

    def __init__(
        self,
        port: int,
        expected: Expectation,
        *,
        readers: int = 2,
        processes: bool = False,
        attributes: Optional[Sequence[str]] = None,
    ) -> None:
        self._address = ("127.0.0.1", port)
        self._door = _Door(self._address)
        self._shut = threading.Event()
        self._workers: List[Any] = []
        self._progress: List[Any] = []
        context = multiprocessing.get_context("spawn")
        self._stopping: Any = context.Event() if processes else threading.Event()
        self._results: Any = context.Queue() if processes else queue.Queue()
        for _ in range(readers):
            progress: Any = context.RawValue("L", 0) if processes else SimpleNamespace(value=0)
            reader = _Reader(self._address, expected, attributes)
            arguments = (reader, self._stopping, progress, self._results)
            kind: Any = context.Process if processes else threading.Thread
            self._workers.append(kind(target=_serve, args=arguments, daemon=True))
            self._progress.append(progress)
        self._watch = threading.Thread(target=self._door.watch, args=(self._shut,), daemon=True)
        self._began = 0.0
        self._report: Optional[Report] = None

    def __enter__(self) -> Judge:
        self._began = time.monotonic()
        for worker in (*self._workers, self._watch):
            worker.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stopping.set()
        self._shut.set()
        ended = time.monotonic()
        found = Found()
        for _ in self._workers:
            found = found.with_other(self._result(ended + 2 * _SECONDS))
        for worker in (*self._workers, self._watch):
            worker.join(_SECONDS)
        self._report = Report(found, ended - self._began, self._door.gaps)

    def _result(self, deadline: float) -> Found:
        """Return what one of the readers found; that it died, if they all have ended without a word of it."""
        while time.monotonic() < deadline:
            # in this order: who ended after it was asked for has left its word before
            living = any(worker.is_alive() for worker in self._workers)
            try:
                found: Found = self._results.get(timeout=0.5)
                return found
            except queue.Empty:
                if not living:
                    break
        died = Found()
        died.complain([Complaint(ERROR, "a reader died, or did not end")])
        return died

    @property
    def answers(self) -> int:
        """How many answers have come so far."""
        return sum(int(one.value) for one in self._progress)

    def await_answers(self, more: int = 1, seconds: float = 60) -> None:
        """Wait until each reader has got so many more answers, all of them asked for after now."""
        goals = [int(one.value) + more + 1 for one in self._progress]
        deadline = time.monotonic() + seconds
        while any(one.value < goal for one, goal in zip(self._progress, goals)):
            if time.monotonic() > deadline:
                raise AssertionError(f"readers got no {more} answers each within {seconds:g} s")
            time.sleep(0.01)

    def report(self) -> Report:
        """Return what they found, after the end."""
        assert self._report is not None, "the readers have not ended yet"
        return self._report
