"""A small world with a truth: machines that live, a cloud that tells of them, a broker that fails, and the repository.

The agent under test is real: its store, ledger, records, packing and delivery. The cloud answers through the plugin
contract; the repository loads and sums up as the centre does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from fedcloud_agent.accounting import republication, retention
from fedcloud_agent.accounting.correction import Corrected, correct
from fedcloud_agent.accounting.delivery import Delivered, deliver
from fedcloud_agent.accounting.extraction import Extracted, extract
from fedcloud_agent.accounting.packing import Limits
from fedcloud_agent.accounting.record import Frame
from fedcloud_agent.accounting.release import Released, Wanted, release
from fedcloud_agent.accounting.republication import Selection
from fedcloud_agent.accounting.settings import BACKFILL, AccountingSettings, FirstRun
from fedcloud_agent.clock import month_of, month_start
from fedcloud_agent.clouds.contract import (
    COMPLETED,
    STARTED,
    SUSPENDED,
    Listing,
    Page,
    Past,
    UsageFacet,
    VirtualMachine,
    Window,
)
from fedcloud_agent.errors import UnreachableError
from fedcloud_agent.outbox.transport import Departing, Message, Outcome, Transport, unnoted
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository

FRAME = Frame("TEST-SITE", "cloud.example.org", "TestCloud", "0.4", "bare", True, None, None)


@dataclass
class Life:
    """The truth of one machine: when it lived, which size it had from when on, and when it stood still."""

    uuid: str
    start: int
    end: Optional[int]
    sizes: List[Tuple[int, int]]
    pauses: List[Tuple[int, int]] = field(default_factory=list)
    purged: Optional[int] = None

    def events(self) -> List[int]:
        instants = [self.start, *(at for at, _ in self.sizes), *(at for pair in self.pauses for at in pair)]
        if self.end is not None:
            instants = [at for at in instants if at <= self.end] + [self.end]
        return sorted(instants)

    def running(self, until: int) -> List[Tuple[int, int]]:
        end = until if self.end is None else min(until, self.end)
        intervals, begin = [], self.start
        for pause, resume in self.pauses:
            if pause < end:
                intervals.append((begin, pause))
                begin = resume
        if begin < end:
            intervals.append((begin, end))
        return intervals

    def wall(self, begin: int, until: int, active: bool) -> int:
        intervals = (
            self.running(until) if active else [(self.start, until if self.end is None else min(until, self.end))]
        )
        return sum(max(0, min(stop, until) - max(start, begin)) for start, stop in intervals)

    def cpu(self, begin: int, until: int, active: bool) -> int:
        edges = list(self.sizes)
        total = 0
        for number, (at, count) in enumerate(edges):
            following = edges[number + 1][0] if number + 1 < len(edges) else until
            total += count * self.wall(max(begin, at), max(begin, min(until, following)), active)
        return total


class World(UsageFacet):
    """The cloud, through the contract. ``now`` is its clock, and ours."""

    def __init__(self, lives: List[Life], active: bool = False, page: int = 3) -> None:
        self.lives = lives
        self.active = active
        self.page = page
        self.now = 0
        self.fails_after: Optional[int] = None
        self.clock_error = 0
        self.remembers = False
        """Machines that ended are shown for ever, in every listing."""

    def tell(self, life: Life, now: int) -> VirtualMachine:
        ended = life.end is not None and life.end <= now
        paused = any(begin <= now < stop for begin, stop in life.pauses)
        changed = max(at for at in life.events() if at <= now)
        running = None
        if self.active:
            running = tuple(
                (begin, None if stop == now and not ended and not paused else stop) for begin, stop in life.running(now)
            )
        return VirtualMachine(
            uuid=life.uuid,
            name=f"name of {life.uuid}",
            status=COMPLETED if ended else SUSPENDED if paused else STARTED,
            cloud_status="DELETED" if ended else "ACTIVE",
            user="u1",
            group="g1",
            global_user="/DC=org/DC=example/CN=Jane Doe",
            vo="vo.example.org",
            start=life.start,
            end=life.end if ended else None,
            changed=changed,
            cpu_count=[count for at, count in life.sizes if at <= now][-1],
            memory=1024,
            disk=10,
            image="image",
            public_ips=None if ended else 1,
            running=running,
        )

    def visible(self, now: int, window: Window) -> Iterator[VirtualMachine]:
        for life in self.lives:
            if life.start > now or (life.purged is not None and life.purged <= now):
                continue
            machine = self.tell(life, now)
            changed = self.remembers or window.since is None or (machine.changed or 0) >= window.since
            if machine.status == COMPLETED or not window.full:
                if changed:
                    yield machine
            else:
                yield machine

    def usage(self, window: Callable[[str], Window], past: Past) -> Iterator[Listing]:
        of = window("*")
        yield Listing("*", frozenset({"g1"}), of, self.now, self.clock_error, self._pages(of))

    def _pages(self, window: Window) -> Iterator[Page]:
        machines = list(self.visible(self.now, window))
        for number, begin in enumerate(range(0, len(machines), self.page)):
            if self.fails_after is not None and number >= self.fails_after:
                raise UnreachableError("the cloud stopped answering")
            yield Page(machines[begin : begin + self.page])
        if self.fails_after is not None:
            raise UnreachableError("the cloud stopped answering")

    def machine(self, uuid: str, past: Past) -> Optional[VirtualMachine]:
        for life in self.lives:
            if life.uuid == uuid and life.start <= self.now and (life.purged is None or life.purged > self.now):
                return self.tell(life, self.now)
        return None


@dataclass
class Way(Transport):
    """A way to the repository that fails as told: after ``breaks`` messages, the last one loaded but not answered."""

    repository: Repository
    breaks: Optional[int] = None
    answer_lost: bool = False
    peer: str = "broker-1:6162"
    largest: Optional[int] = None
    """Messages with more records than this are refused as too large."""
    swallows: bool = False
    """The broker acknowledges, and dies with what it had."""
    swallowed: List[bytes] = field(default_factory=list)
    refuses: Optional[int] = None
    """The broker refuses this message of a delivery, counted from 0, for what it is."""
    seen: Dict[str, bytes] = field(default_factory=dict)

    def deliver(self, messages: Iterable[Message], departing: Departing = unnoted) -> Iterator[Outcome]:
        for number, message in enumerate(messages):
            if self.breaks is not None and number >= self.breaks and not self.answer_lost:
                raise UnreachableError("the broker is gone")
            departing([message.id])
            if self.largest is not None and message.body.count(b"VMUUID: ") > self.largest:
                yield Outcome(message.id, False, self.peer, "Message size is too large", too_large=True)
                continue
            assert self.seen.setdefault(message.id, message.body) == message.body, "one identity, two contents"
            if number == self.refuses:
                yield Outcome(message.id, False, self.peer, "it does not like it")
                continue
            if self.swallows:
                self.swallowed.append(message.body)
            else:
                loaded = self.repository.load(message.body.decode("ascii"))
                assert loaded.accepted, loaded.reason
            if self.breaks is not None and number >= self.breaks:
                raise UnreachableError("the broker is gone, and with it an answer")
            yield Outcome(message.id, True, self.peer, "")

    def give_back(self) -> None:
        """Let the broker come back with its store: what it had acknowledged arrives after all."""
        for body in self.swallowed:
            assert self.repository.load(body.decode("ascii")).accepted
        self.swallowed = []

    def ping(self) -> str:
        return self.peer


class Agent:
    """The agent under test, as its commands use it."""

    def __init__(self, store: Store, world: World, repository: Repository, **settings: object) -> None:
        self.store, self.world = store, world
        self.way = Way(repository)
        self.ways = {"central": self.way}
        self.settings = AccountingSettings(
            **{"first_run": FirstRun(BACKFILL), "destinations": {"central": None}, **settings}  # type: ignore[arg-type]
        )
        self.limits = Limits(self.settings.record_version, 4, 100_000)
        self.frame = FRAME._replace(version=self.settings.record_version)
        self.accept_vanished = False
        self.clock_shift = 0

    def now(self) -> int:
        return self.world.now + self.clock_shift

    def extract(self) -> Extracted:
        self.world.clock_error = -self.clock_shift
        return extract(
            self.store,
            "main",
            self.world,
            self.frame,
            self.settings,
            self.now,
            accept_vanished=self.accept_vanished,
        )

    def republish(self, first: int, last: int) -> Corrected:
        """Have months corrected and sent anew, as the command does; they leave with the next sending."""
        chosen = Selection(first, last)
        corrected = correct(self.store, "central", chosen, self.settings.cpu_duration)
        with self.store.write() as connection:
            republication.begin(connection, "central", chosen, self.now())
        return corrected

    def release(self) -> Released:
        """Have everything that was set aside judged again."""
        return release(self.store, Wanted(everything=True), {"main": self.frame})

    def let_go(self, ended_before: int) -> int:
        """Let machines go that ended long ago, as the daily extraction does."""
        return retention.let_go(self.store, "main", ["central"], ended_before)

    def configure(self, *destinations: str, **settings: object) -> None:
        """Have these destinations from now on, and no others; other settings as given."""
        self.settings = replace(self.settings, destinations=dict.fromkeys(destinations), **settings)  # type: ignore[arg-type]

    def send(self, destination: str = "central") -> Optional[Delivered]:
        try:
            brokers = ["broker-1:6162", "broker-2:6162"]
            return deliver(self.store, destination, self.ways[destination], self.limits, brokers, self.now)
        except UnreachableError:
            return None


def truth(lives: Iterable[Life], until: int, active: bool = False) -> Dict[Tuple[str, int], Tuple[int, int]]:
    """Return (wall, cpu) for each machine and month in which it lived, up to ``until``."""
    shown = {}
    for life in lives:
        last = until if life.end is None else min(life.end, until)
        if life.start > until:
            continue
        for month in range(month_of(life.start), month_of(last) + 1):
            begin, stop = max(month_start(month), life.start), min(month_start(month + 1), last)
            shown[life.uuid, month] = (life.wall(begin, stop, active), life.cpu(begin, stop, active))
    return shown


def shown(repository: Repository) -> Dict[Tuple[str, int], Tuple[Optional[int], Optional[int]]]:
    """Return (wall, cpu) for each machine and month as the repository has it."""
    return {
        (uuid, year * 12 + month - 1): (usage.wall, usage.cpu)
        for (uuid, year, month), usage in repository.usage().items()
    }
