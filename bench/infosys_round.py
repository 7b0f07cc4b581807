"""What a round of the information system costs: from the offer in hand to a server that has it; and a BDII's round."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Dict, Iterator, List

from bench.bdii_round import BdiiRound
from bench.big_site import NOW, site_offer
from bench.figure import Figure, bound, ratio
from bench.session import Session
from fedcloud_agent.infosys.in_place import Offered, short_way
from fedcloud_agent.infosys.kept import Kept
from fedcloud_agent.infosys.publication import Files, Published, publish
from fedcloud_agent.infosys.repair import repair
from fedcloud_agent.infosys.server import tell
from fedcloud_agent.ldap import Directory
from tests.integration.infosys.serve.agent import Serve

NAME = "infosys-round"
_WRITES = ("Add", "Modify", "Delete")


class Ours:
    """Our server, and the publisher in this process, with variants ``a`` and ``b`` of a big site."""

    def __init__(self, serve: Serve, entries: int) -> None:
        self.serve, self.files = serve, Files.below(serve.state)
        self.offers = {name: Offered(site_offer(entries, name), NOW) for name in ("a", "b")}
        self.kept = Kept(self.files.tree)
        publish(self.files, None, self.offers["a"], "a")

    def round(self, old: str, new: str) -> Published:
        """Publish one variant where the other stands."""
        return publish(self.files, self.offers[old], self.offers[new], new)

    def seconds(self) -> float:
        """Return the seconds of a round to ``b``; ``a`` stands again afterwards."""
        began = time.perf_counter()
        done = self.round("a", "b")
        seconds = time.perf_counter() - began
        changed = len(self.offers["a"].site.compute[0].images) // 100
        if done.modified < changed // 2 or done.added or done.deleted or done.loaded or done.repaired:
            raise RuntimeError(f"that was no round to variant b: {done}")
        self.check()
        self.round("b", "a")
        return seconds

    def telling(self) -> float:
        """Return the seconds of telling the server of ``b``, the step in hand; ``a`` stands again afterwards."""
        phases = {}
        for old, new in (("a", "b"), ("b", "a")):
            step = short_way(self.offers[old], self.offers[new], self.kept.held())
            if step is None:
                raise RuntimeError("the short way was not taken")
            self.kept.step(step.changes, NOW, {})
            phases[new] = step.phases
        with self.writer() as directory:
            began = time.perf_counter()
            refused = tell(directory, phases["b"], 60)
            seconds = time.perf_counter() - began
            refused += tell(directory, phases["a"], 60)
        if refused:
            raise RuntimeError(f"refused: {refused[:3]}")
        return seconds

    def check(self) -> float:
        """Return the seconds of reading the whole tree back and comparing it. Raises RuntimeError."""
        began = time.perf_counter()
        with self.writer() as directory:
            if repair(directory, self.kept) is not None:
                raise RuntimeError("the server does not hold what it should")
        return time.perf_counter() - began

    def writes(self) -> int:
        """Return how many writing operations the server was ever asked for."""
        with self.writer() as directory:
            return sum(
                int(found.attributes["monitorOpInitiated"][0])
                for one in _WRITES
                for found in directory.search(
                    f"cn={one},cn=Operations,cn=Monitor", scope="base", attributes=["monitorOpInitiated"]
                )
            )

    def writer(self) -> Directory:
        """Return a connection that may write."""
        return self.serve.writer()


def measure(session: Session) -> Iterator[Figure]:
    entries, turns = session.size(10_000, 1000), session.size(7, 1)
    serve = Serve(listen=["127.0.0.1"])
    try:
        serve.start()
        ours = Ours(serve, entries)
        with BdiiRound(session.room(NAME), entries) as peer:
            ours.seconds(), peer.round("b")
            yield ratio(
                NAME,
                [{"ours": ours.seconds(), "peer": peer.round("b")} for _ in range(turns)],
                "s",
                0.2,
                f"1 % of {entries} entries modified: from the offer in hand to the server with every operation "
                "answered, what is decided and written down included, over a round as a BDII makes it (dump, parse, "
                "compare, ldapadd, ldapmodify and ldapdelete of OpenLDAP) of the same change; at most the target.",
            )
            yield ratio(
                "infosys-sending",
                [{"ours": ours.telling(), "peer": peer.bare("b")} for _ in range(turns)],
                "s",
                3.0,
                "Telling the server of that change, over the bare operations by python-ldap, 64 in flight; at most the "
                "target.",
            )
            yield _unchanged(ours, turns)
            yield ratio(
                "infosys-verify",
                [{"ours": ours.check(), "peer": _read(serve.url())} for _ in range(turns)],
                "s",
                5.0,
                f"Reading {entries} entries back and comparing them with those that are kept (after a reconnect, and "
                "once an hour), over ldapsearch of the same tree; at most the target, which is ours.",
            )
            yield ratio(
                "infosys-read",
                [
                    {"ours": _read(serve.url()), "peer": _read(f"ldap://127.0.0.1:{peer.directory.port}")}
                    for _ in range(3 * turns)
                ],
                "s",
                1.2,
                "ldapsearch of the whole tree from our server, over that from a slapd without us; at most the target, "
                "which is ours.",
            )
        yield from _memory(ours, session.size(1000, 20))
    finally:
        serve.close()


def _unchanged(ours: Ours, turns: int) -> Figure:
    runs: List[Dict[str, float]] = []
    for _ in range(turns):
        before = ours.writes()
        ours.round("a", "a")
        runs.append({"ours": ours.writes() - before, "peer": 0})
    how = "Writing operations that a round makes when nothing changed, counted by the server; at most none."
    return bound("infosys-unchanged", runs, "operations", how)


def _memory(ours: Ours, updates: int) -> Iterator[Figure]:
    """Memory after all updates over that after a tenth of them: of the server, and of a publisher that never ends."""
    runs: Dict[str, Dict[str, float]] = {"server": {}, "agent": {}}
    for number in range(1, updates + 1):
        ours.round(*(("a", "b") if number % 2 else ("b", "a")))
        if number in (updates // 10, updates):
            key = "ours" if number == updates else "peer"
            runs["server"][key], runs["agent"][key] = _private(str(ours.serve.serving.pid)), _private("self")
    ours.check()
    for name, run in runs.items():
        yield ratio(
            f"infosys-{name}-memory",
            [run],
            "MB",
            1.2,
            f"Private memory of the {name} after {updates} updates of 1 % of the entries, over that after "
            f"{updates // 10}; at most the target.",
        )


def _private(process: str) -> float:
    """Return the memory that is a process's own, in MB: pages of the database that it maps are not."""
    found = re.search(r"^RssAnon:\s+([0-9]+) kB", Path("/proc", process, "status").read_text(), re.M)
    assert found is not None
    return int(found.group(1)) / 1024


def _read(url: str) -> float:
    began = time.perf_counter()
    words = ["/usr/bin/ldapsearch", "-x", "-LLL", "-H", url, "-b", "o=glue"]
    done = subprocess.run(words, stdout=subprocess.DEVNULL, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"ldapsearch of {url} failed with exit code {done.returncode}")
    return time.perf_counter() - began
