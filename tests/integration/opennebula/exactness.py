"""Random lives on a simulated oned, read by the plugin on a schedule of troubles, and compared with the truth.

All but the wire to the repository is real: the simulator in its own process, the plugin, the ledger, records, packing
and delivery. One simulator serves many examples.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Set, Tuple

from hypothesis import strategies as st

from fedcloud_agent.clock import DAY, HOUR, month_of, month_start
from fedcloud_agent.clouds.contract import Listing, Past, UsageFacet, VirtualMachine, Window
from fedcloud_agent.settings import Secret
from fedcloud_agent.store.opening import open_store
from fedcloud_plugins.opennebula.intervals import CUT_HISTORY, UNTOLD_STOP
from fedcloud_plugins.opennebula.plugin import OpenNebula
from fedcloud_plugins.opennebula.settings import AuthSettings, OpenNebulaSettings
from fedcloud_plugins.opennebula.vmuuid import Naming
from tests.federation.central.repository import Repository
from tests.federation.opennebula import PROFILES, Life, OnedSimulator
from tests.integration.opennebula.lives import EARLIEST, START, Plan, Told, told
from tests.unit.accounting.world import Agent, shown

Months = Dict[int, Tuple[int, int]]
"""(wall, cpu) in seconds by month."""

Step = Tuple[int, str, str, int]

_EVENTS = (
    *["well"] * 5,
    "no cloud",
    "half a cloud",
    "not sent",
    "no broker",
    "answer lost",
    "refused",
    "broker lost",
    "clock ahead",
    "clock behind",
    "restarted",
    "republished",
    "released",
    "let go",
)
_PURGES = (*[""] * 6, "history before", "done before", "history after", "history after", "done after")

polls = st.lists(
    st.tuples(
        st.one_of(st.integers(600, 5 * HOUR), st.integers(HOUR, 40 * DAY)),  # how long until the next run
        st.sampled_from(_EVENTS),
        st.sampled_from(_PURGES),  # what onedb forgets, and whether before the run or after it
        st.integers(0, 3),
    ),
    min_size=2,
    max_size=10,
)
_LAST: Tuple[Step, ...] = (
    (HOUR, "well", "", 0),
    (HOUR, "released", "", 0),
    # what was purged is believed after two full listings a day apart
    (DAY + HOUR, "well", "", 0),
    (DAY + HOUR, "well", "", 0),
    (5 * HOUR, "well", "", 0),
)


class Oned(UsageFacet):
    """The cloud of the agent under test: the plugin against the simulator, by a clock that the test holds."""

    def __init__(self, simulator: OnedSimulator, directory: Path) -> None:
        self.simulator = simulator
        secret = directory / "oned.secret"
        secret.touch(mode=0o600)
        secret.write_text("opennebula\n")
        auth = AuthSettings(username="oneadmin", password_file=Secret(str(secret)))
        self._settings = OpenNebulaSettings(endpoint=simulator.url, auth=auth)
        self._open()
        self.now = START
        self.clock_error = 0
        for name in ("vo.example.org", "ops"):
            simulator.create_group(name)
        for name in ("jane", "joe"):
            simulator.create_user(
                name, groups=["vo.example.org"], template={"X509_DN": f"/DC=org/DC=example/CN={name}"}
            )

    def _open(self) -> None:
        self.plugin = OpenNebula("main", self._settings)

    def restart(self) -> None:
        """Begin anew with a plugin that knows nothing but what the ledger tells it."""
        self.plugin.close()
        self._open()

    def usage(self, window: Callable[[str], Window], past: Past) -> Iterator[Listing]:
        # the plugin compares oned's clock with this machine's, which stands for that of the agent here
        for listing in self.plugin.usage(window, past):
            yield dataclasses.replace(listing, clock_offset=self.clock_error)

    def machine(self, uuid: str, past: Past) -> Optional[VirtualMachine]:
        return self.plugin.machine(uuid, past)


@dataclass
class Played:
    """What a schedule left behind: the centre, and what has to be known to judge it.

    ``looks``: when the cloud was listed to its end; ``tried``: when the agent at least came to it.
    """

    profile: str
    repository: Repository
    now: int
    machines: List[Told]
    lives: Dict[int, Life]
    looks: List[int]
    tried: List[int]
    broken: List[int] = field(default_factory=list)
    """Those that broke off in the midst of it."""
    cut: Set[int] = field(default_factory=set)
    """Machines whose history was purged before it was read."""
    forgotten: Dict[int, Tuple[List[int], List[int]]] = field(default_factory=dict)
    """Machines that oned forgot, with the looks and trials until then."""
    said: Set[str] = field(default_factory=set)
    """What a person was told: subjects of problems, and machines that vanished."""


def play(oned: Oned, template: Path, plans: List[Plan], schedule: List[Step]) -> Played:
    """Let time pass with everything that may happen, then some good runs."""
    simulator, profile = oned.simulator, oned.simulator.profile
    machines = [told(profile, number, plan) for number, plan in enumerate(sorted(plans, key=itemgetter(0)))]
    simulator.clear_faults()
    simulator.reinstall()
    simulator.set_clock(EARLIEST - DAY)
    simulator.load({"vms": [one.entry for one in machines], "acts": [act for one in machines for act in one.acts]})
    played = Played(profile, Repository(), START, machines, {}, [], [])
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(template, directory, dirs_exist_ok=True)
        store = open_store(Path(directory))
        agent = Agent(store, oned, played.repository)  # type: ignore[arg-type]
        oned.now = START
        for gap, event, purge, number in [*schedule, *_LAST]:
            summarised = oned.now
            oned.now += gap
            while summarised + DAY < oned.now:
                summarised += DAY
                played.repository.summarise(summarised)
            simulator.set_clock(oned.now)
            if purge.endswith("before"):
                _purge(played, oned, purge)
            if event == "restarted":
                store.close()
                agent.store = store = open_store(Path(directory))
                oned.restart()
            _run(played, oned, agent, event, number)
            if purge.endswith("after"):
                _purge(played, oned, purge)
            played.repository.summarise(oned.now + 600)
        with store.read() as connection:
            assert not list(connection.exec_driver_sql("SELECT vm, month FROM record WHERE rejected IS NOT NULL"))
        store.close()
    played.now = oned.now
    played.lives = simulator.truth()
    return played


def _run(played: Played, oned: Oned, agent: Agent, event: str, number: int) -> None:
    way = agent.way
    way.breaks = number if event in ("no broker", "answer lost") else None
    way.answer_lost = event == "answer lost" and number % 2 == 1
    way.refuses = number if event == "refused" else None
    way.swallows = event == "broker lost"
    agent.clock_shift = {"clock ahead": 40 * DAY, "clock behind": -40 * DAY}.get(event, 0)
    if event == "no cloud":
        oned.simulator.fault("drop", count=None)
    if event == "half a cloud":
        oned.simulator.fault("no_array", r"one\.vm", count=None, after=number)
        played.broken.append(oned.now)
    _extract(played, oned, agent)
    oned.simulator.clear_faults()
    if event == "republished":
        agent.republish(month_of(oned.now) - 2 - number, month_of(oned.now) - number)
    if event == "released":
        agent.release()
    if event == "let go":
        agent.let_go(oned.now - number * 3 * DAY)
    if event != "not sent":
        agent.send()
    if event == "broker lost":
        oned.now += 5 * HOUR  # until the other broker takes over
        oned.simulator.set_clock(oned.now)
        way.swallows, way.peer = False, "broker-2:6162"
        _extract(played, oned, agent)
        done = agent.send()
        if done is None or not done.messages:
            way.give_back()  # nothing left meanwhile, so nobody could notice
        way.swallowed, way.peer = [], "broker-1:6162"


def _extract(played: Played, oned: Oned, agent: Agent) -> None:
    result = agent.extract()
    played.tried.append(oned.now)
    if result.collected.scopes:
        played.looks.append(oned.now)
    played.said.update(problem.subject for problem in result.problems)
    played.said.update(result.collected.vanished)


def _purge(played: Played, oned: Oned, what: str) -> None:
    if what.startswith("history"):
        looked = max([at for at in played.looks if at <= oned.now], default=0)
        for number, machine in enumerate(played.machines):
            if any(looked < change <= oned.now for change in machine.changes):
                played.cut.add(number)
        oned.simulator.purge_history()
        return
    oned.simulator.purge_done()
    for number, life in oned.simulator.truth().items():
        if life.purged:
            played.forgotten.setdefault(number, (list(played.looks), list(played.tried)))


def check(oned: Oned, played: Played) -> None:
    """Compare the centre with the truth: to the second, or within what could be seen of it."""
    naming = Naming(oned.simulator.url)
    have: Dict[str, Months] = {}
    for (uuid, month), (wall, cpu) in shown(played.repository).items():
        have.setdefault(uuid, {})[month] = (wall or 0, cpu or 0)
    for number, life in played.lives.items():
        uuid = naming.uuid(number, life.created)
        _judge(played, number, uuid, have.pop(uuid, {}))
    assert not have, "the centre shows machines that never were"
    sums: Dict[int, int] = {}
    for row in played.repository.summaries():
        month = row.year * 12 + row.month - 1
        sums[month] = sums.get(month, 0) + (row.wall or 0)
    months: Dict[int, int] = {}
    for (_, month), (wall, _) in shown(played.repository).items():
        months[month] = months.get(month, 0) + (wall or 0)
    assert sums == months, "the sums of the centre are not those of its machines"


def _judge(played: Played, number: int, uuid: str, have: Months) -> None:
    life = played.lives[number]
    last = played.now if life.ended is None else life.ended
    looks, tried = played.forgotten.get(number, ([played.now], []))
    if max(looks, default=0) < last:
        # its end was not seen: what the last look saw is certain, what a broken one saw may be known too
        known = max((at for at in looks if at >= life.created), default=life.created - 1)
        most = max((at for at in [*looks, *tried] if at >= life.created), default=life.created - 1)
        # a look that broke off may have seen the end all the same: then the machine is complete, and nothing is missed
        seen = any(last <= at for at in played.broken if at in tried)
        assert uuid in played.said or not have or seen, "a machine vanished, and nobody was told"
        _between(played, number, have, known, min(last, most))
    elif life.blurred or number in played.cut:
        _between(played, number, have, last, last)
    elif life.runs or any(wall for wall, _ in have.values()):
        due = usage(life, last)
        assert {month: wall for month, (wall, _) in have.items()} == {month: wall for month, (wall, _) in due.items()}
        if _cpu_is_known(played, number):
            assert have == due


def _between(played: Played, number: int, have: Months, known: int, last: int) -> None:
    """Hold what was not told to the second between what was seen and what is possible, month after month."""
    life = played.lives[number]
    counts = [since.value for since in life.cpus]
    ran = 0
    for month in sorted(have):
        until = min(month_start(month + 1), last)
        wall, cpu = have[month]
        ran += wall
        assert wall >= 0 and min(counts) * wall <= cpu <= max(counts) * wall
        assert ran <= _most(played, number, until), "more than can be"
    if number not in played.cut:
        assert ran >= life.seconds(0, known), "less than was seen"
    troubled = played.machines[number].troubled  # that a boot failed and was tried again is in no record
    if ran > life.seconds(0, last) and not (troubled or _all_stops_seen(played, life, last)):
        assert played.said & {UNTOLD_STOP.subject, CUT_HISTORY.subject}, "an upper bound, and nobody was told"


def _gaps(life: Life, until: int) -> Iterator[Tuple[int, int]]:
    """Yield when the guest of a machine that had run did not, up to an instant."""
    starts = [run.start for run in life.runs[1:]] + [until]
    for run, following in zip(life.runs, starts):
        if run.end is not None and run.end < min(following, until):
            yield run.end, min(following, until)


def _most(played: Played, number: int, until: int) -> int:
    """Return the most seconds that may be told of a life whose stops no record tells: until a look saw them."""
    life = played.lives[number]
    if number in played.cut or played.machines[number].troubled:
        return life.alive(0, until)
    more = sum(
        min([at for at in played.looks if begin <= at < end] or [end]) - begin for begin, end in _gaps(life, until)
    )
    return life.seconds(0, until) + more


def _all_stops_seen(played: Played, life: Life, until: int) -> bool:
    return all(any(begin <= at <= end for at in played.looks) for begin, end in _gaps(life, until))


def usage(life: Life, until: int) -> Months:
    """Return what a life used in each month up to an instant; nothing if it had not begun."""
    found: Months = {}
    if until < life.created:
        return found
    for month in range(month_of(life.created), month_of(until) + 1):
        begin, stop = max(month_start(month), life.created), min(month_start(month + 1), until)
        found[month] = (life.seconds(begin, stop), life.cpu_seconds(begin, stop))
    return found


def _cpu_is_known(played: Played, number: int) -> bool:
    """Tell whether each resize could be dated: from 6.8.2 on by its record, if it was the only one since a look."""
    life, begin = played.lives[number], 0
    if len(life.cpus) == 1:
        return True
    if played.machines[number].undated or not PROFILES[played.profile].resize_recorded:
        return False
    for look in played.looks:
        if sum(begin < at <= look for at in played.machines[number].resizes) > (begin >= life.created):
            return False
        begin = look
    return True
