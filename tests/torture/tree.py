"""Kill publisher, slapd and its keeper at random moments while a big tree changes under readers that judge it.

``python -m tests.torture.tree --kills 1000 --seed 7 --report bench/torture-tree.json``. No reader may ever get an empty
or partial tree, an entry without its parent or a key to nothing, nor any error but a connection that is refused while a
slapd is on its way, or one that breaks off because the slapd at its other end was killed. The seed decides what changes
and what is killed when; at which instruction is the machine's doing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from bench.big_site import cloud_offer
from fedcloud_agent.clouds.offer import CloudOffer, Image, InstanceType, Share
from fedcloud_agent.clouds.offer_file import NamedOffer, encode
from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.differences import SETTLING
from fedcloud_agent.infosys.entry import digest
from fedcloud_agent.infosys.gathering import Seen, gather
from fedcloud_agent.infosys.model import AgentState
from fedcloud_agent.infosys.settings import ContactSettings, InfosysSettings, LocationSettings
from tests.federation.box import Clock
from tests.federation.preloaded import Done, Preloaded
from tests.federation.top.judge import CUT, KEYS, Judge
from tests.federation.top.judgement import whole
from tests.integration.infosys.serve.agent import HOST, ROOT, Serve

START = 1_795_356_000
CONTACT = "cloud-support@example.org"
_KILLED = -signal.SIGKILL
_TROUBLED = (0, 69, 75, _KILLED)
_COMING = 60
"""So many images and instance types at most come and go."""


@dataclass
class Told:
    """What a run was and gave."""

    asked: int
    seed: int
    entries: int
    kills: Dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    """Publishing that was not killed."""
    answers: int = 0
    judged: int = 0
    gaps: int = 0
    """Times in which connections were refused."""
    longest_gap: float = 0.0
    """Seconds."""
    cut: int = 0
    """Answers that broke off because their server was killed."""
    slowest_answer: float = 0.0
    seconds: float = 0.0


class Cloud:
    """A big cloud in which something changes at every look: most of it stays."""

    def __init__(self, entries: int, chance: random.Random) -> None:
        self.random = chance
        self.offer = cloud_offer(entries, as_of=START)
        self._images, self._types, self._shares = self.offer.images, self.offer.instance_types, self.offer.shares
        self._coming: Dict[int, Image] = {}
        self._sizes: Dict[int, InstanceType] = {}
        self._guest = False

    def change(self, now: int) -> CloudOffer:
        """Let a look's worth of things happen, and return what the cloud offers then."""
        chance = self.random
        for number in chance.sample(range(len(self._images)), chance.choice((0, 1, 20, len(self._images) // 100))):
            version = f"{chance.randrange(100)}"
            images = list(self._images)
            images[number] = replace(images[number], version=version)
            self._images = tuple(images)
        if chance.random() < 0.4:
            self._come_and_go(self._coming, lambda one: replace(self._images[one], id=f"coming-{one}"))
        if chance.random() < 0.3:
            self._come_and_go(self._sizes, lambda one: replace(self._types[one % len(self._types)], id=f"size-{one}"))
        if chance.random() < 0.05:
            self._guest = not self._guest
        guests = (Share("guest.example.org", "guest", "guest"),) if self._guest else ()
        health = chance.choice(("ok", "ok", "warning"))
        self.offer = replace(
            self.offer,
            as_of=now,
            endpoints=tuple(replace(one, health=health) for one in self.offer.endpoints),
            images=(*self._images, *self._coming.values()),
            instance_types=(*self._types, *self._sizes.values()),
            shares=(*self._shares, *guests),
        )
        return self.offer

    def _come_and_go(self, things: Dict[int, Any], make: Callable[[int], Any]) -> None:
        for _ in range(self.random.randrange(1, 20)):
            number = self.random.randrange(_COMING)
            if number in things:
                del things[number]
            else:
                things[number] = make(number)


class Torture:
    """One site in which everything that publishes is killed."""

    def __init__(self, serve: Serve, kills: int, seed: int, entries: int) -> None:
        self.serve, self.told = serve, Told(kills, seed, entries)
        self.random = random.Random(seed)
        self.cloud = Cloud(entries, self.random)
        self.clock = Clock(serve.directory)
        self.now = START
        self.typical = 2.0
        self.kills: Counter[str] = Counter()
        self.readers: Tuple[Judge, ...] = ()
        self._offer = serve.directory / "offer.json"

    def agent(self) -> Preloaded:
        """Return what runs the agent's commands, by the clock that is set here."""
        self.clock.set(self.now)
        path = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
        words = [sys.executable, "-m", "fedcloud_agent", "--config", str(self.serve.directory / "etc")]
        environment = {**os.environ, **self.clock.environment(path)}
        return Preloaded(self.serve.directory, words, environment)

    def pass_time(self, seconds: int) -> None:
        """Let time pass: within what an entry settles in, or waits to be deleted, a reader has read to its end."""
        if seconds >= SETTLING:
            for one in self.readers:
                one.await_answers(1, seconds=120)
        self.now += seconds
        self.clock.set(self.now)

    def later(self) -> None:
        """Let time pass, and the cloud change."""
        self.pass_time(self.random.choices((1, 5, 20, 200, 2400), (4, 4, 4, 1, 1))[0])
        offer = self.cloud.change(self.now - 1)
        document = encode([NamedOffer("main", "cloud.example.org", "OpenStack", offer)])
        self._offer.write_text(json.dumps(document))

    def publish(self, agent: Preloaded, *more: str) -> Done:
        """Publish to the end."""
        self.serve.heard()
        agent.start("infosys", "publish", "--offer", str(self._offer), *more)
        done = agent.end(300)
        assert done.code == 0, f"exit code {done.code}: {done.said}\n{self.serve.log.read_text()[-4000:]}"
        self.told.rounds += 1
        return done

    def blow(self, agent: Preloaded) -> None:
        """Publish, and kill something in the midst of it."""
        self.serve.heard()  # as a service manager does: who is not heard has to wait
        self.later()
        victim = self.random.choices(("publish", "slapd", "serve"), (6, 3, 1))[0]
        pid = agent.start("infosys", "publish", "--offer", str(self._offer))
        time.sleep(self.random.uniform(0.0, 1.1 * self.typical))
        self.kills[victim] += 1
        if victim == "publish":
            _kill(pid)
        elif victim == "slapd":
            _kill(self.serve.serving.pid)
        else:
            self.serve.kill()
            self.serve.start()
        done = agent.end(300)
        assert done.code in _TROUBLED, f"exit code {done.code} after {victim} was killed: {done.said}"

    def check(self) -> None:
        """Compare what is served with what the cloud offers."""
        settings = InfosysSettings(CONTACT, ContactSettings(), LocationSettings(), host=HOST, port=self.serve.port)
        seen = Seen("main", "cloud.example.org", "OpenStack", self.cloud.offer)
        site = gather("EXAMPLE-SITE", HOST, settings, [seen], self.now, agent=AgentState("any"))
        wanted = {one.dn: digest(one) for one in glue20.entries(site, self.now)}
        served = {one.dn: digest(one) for one in self.serve.tree()}
        gone = {dn for dn, one in self.serve.kept.held().items() if one.gone is not None}
        # the two that tell of the agent itself
        own = {dn for dn in wanted if dn.startswith("GLUE2DomainID=") or "sitebdii_endpoint," in dn}
        assert set(served) == set(wanted) | gone
        wrong = [dn for dn in wanted if served[dn] != wanted[dn] and dn not in own]
        assert not wrong, f"{len(wrong)} entries are not as they should be: {wrong[:3]}"


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def torture(
    kills: int, seed: int, *, entries: int = 10_000, minutes: Optional[float] = None, say: Callable[[str], None] = print
) -> Told:
    """Kill so many times, and return what was seen. Raises AssertionError for anything that may not be."""
    began = time.monotonic()
    serve = Serve(contact=CONTACT, listen=["127.0.0.1"])
    try:
        serve.start()
        it = Torture(serve, kills, seed, entries)
        with it.agent() as agent:
            it.later()
            it.publish(agent)
            it.later()
            it.typical = it.publish(agent).seconds
            expected = whole(
                [one for one in serve.tree() if not _comes_and_goes(one.dn)], "o=glue", coming=10 * _COMING
            )
            # one reads all there is, slower than the server sends it; the other only what names and is named
            with (
                Judge(serve.port, expected, readers=1, processes=True) as slow,
                Judge(serve.port, expected, readers=1, processes=True, attributes=KEYS) as quick,
            ):
                it.readers = (slow, quick)
                for number in range(1, kills + 1):
                    it.blow(agent)
                    if it.random.random() < 0.3:
                        it.later()
                        it.typical = 0.7 * it.typical + 0.3 * it.publish(agent).seconds
                    if minutes is not None and time.monotonic() - began > 60 * minutes:
                        break
                    if number % 50 == 0:
                        say(f"{number} kills, {slow.answers + quick.answers} answers, {time.monotonic() - began:.0f} s")
                # what came last is named by others a round later
                it.later()
                it.publish(agent, "--verify")
                it.pass_time(SETTLING)
                it.publish(agent, "--verify")
                it.pass_time(SETTLING)
            it.check()
        reports = [slow.report(), quick.report()]
        for report in reports:
            say(str(report))
        found = reports[0].found.with_other(reports[1].found)
        kinds = dict(Counter(reports[0].kinds) + Counter(reports[1].kinds))
        # who is reading from a server that is killed is cut off, and knows it; nothing else may be wrong
        it.told.cut = kinds.pop(CUT, 0)
        assert (
            found.answers >= kills
            and not kinds
            and it.told.cut <= len(reports) * (it.kills["slapd"] + it.kills["serve"])
        ), str(report)
        it.told.kills, it.told.answers, it.told.judged = dict(it.kills), found.answers, found.judged
        it.told.gaps = len(reports[0].gaps)
        it.told.longest_gap = round(max(report.longest for report in reports), 3)
        it.told.slowest_answer = round(found.slowest, 3)
        it.told.seconds = round(time.monotonic() - began, 1)
        return it.told
    finally:
        serve.close()


def _comes_and_goes(dn: str) -> bool:
    return any(word in dn for word in ("_coming-", "_size-", "guest"))


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.tree", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, help="end after so many, with fewer kills")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else secrets.randbelow(1_000_000)
    print(f"seed {seed}", flush=True)
    told = torture(
        given.kills, seed, entries=given.entries, minutes=given.minutes, say=lambda line: print(line, flush=True)
    )
    words = json.dumps(asdict(told), indent=1)
    print(words)
    if given.report:
        given.report.write_text(words + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
