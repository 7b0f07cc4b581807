"""Random lives, a schedule of runs with everything that may happen to them, and the comparison with the truth."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Dict, List, Tuple

from hypothesis import strategies as st

from fedcloud_agent.clock import DAY, HOUR, month_of
from fedcloud_agent.store.opening import open_store
from tests.federation.central.repository import Repository
from tests.unit.accounting.world import Agent, Life, World, shown, truth

START = 1768910400  # 2026-01-20 12:00

instants = st.integers(0, 100 * DAY)
spans = st.integers(0, 100 * DAY)


@st.composite
def lives(draw: st.DrawFn, pauses: bool) -> List[Life]:
    found = []
    for number in range(draw(st.integers(1, 5))):
        start = START - 40 * DAY + draw(instants)
        end = draw(st.one_of(st.none(), spans.map(lambda span, s=start: s + span)))  # type: ignore[misc]
        sizes = [(start, draw(st.integers(1, 4)))]
        for gap in draw(st.lists(st.integers(1, 40 * DAY), max_size=2)):
            sizes.append((sizes[-1][0] + gap, draw(st.integers(1, 8))))
        still, at = [], start
        for gap, length in draw(st.lists(st.tuples(st.integers(1, 20 * DAY), st.integers(1, 20 * DAY)), max_size=3)):
            still.append((at + gap, at + gap + length))
            at += gap + length
        found.append(Life(f"vm-{number}", start, end, sizes, still if pauses else []))
    return found


polls = st.lists(
    st.tuples(
        st.one_of(st.integers(600, 5 * HOUR), st.integers(HOUR, 50 * DAY)),  # how long until the next run
        st.sampled_from(
            ["well"] * 4
            + [
                "no cloud",
                "half a cloud",
                "no broker",
                "answer lost",
                "not sent",
                "broker lost",
                "clock ahead",
                "clock behind",
                "republished",
                "republished in part",
                "refused",
                "released",
                "let go",
            ]
        ),
        st.integers(0, 3),
    ),
    min_size=2,
    max_size=14,
)


def observed_cpu(life: Life, looks: List[int]) -> bool:
    """Tell whether every resize could be dated: the cloud tells only when it last changed anything."""
    for begin, stop in zip([0, *looks], looks):
        events = [at for at in life.events() if begin < at <= stop]
        resizes = [at for at, _ in life.sizes[1:] if begin < at <= stop]
        if resizes and (len(events) > 1):
            return False
    return True


def play(
    population: List[Life], schedule: List[Tuple[int, str, int]], active: bool, **how: object
) -> Tuple[Repository, int, List[int]]:
    """Let time pass with everything that may happen, then one good run; return the centre, the time and the looks."""
    world, repository = World(population, active), Repository()
    looks: List[int] = []
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(Path(directory))
        agent = Agent(store, world, repository, **how)
        world.now = START
        for gap, event, number in [*schedule, (HOUR, "well", 0), (HOUR, "released", 0), (5 * HOUR, "well", 0)]:
            summarised = world.now
            world.now += gap
            while summarised + DAY < world.now:
                summarised += DAY
                repository.summarise(summarised)
            world.fails_after = number if event == "half a cloud" else 0 if event == "no cloud" else None
            agent.way.breaks = number if event in ("no broker", "answer lost", "republished in part") else None
            agent.way.answer_lost = event in ("answer lost", "republished in part") and number % 2 == 1
            agent.way.refuses = number if event == "refused" else None
            agent.way.swallows = event == "broker lost"
            agent.clock_shift = {"clock ahead": 40 * DAY, "clock behind": -40 * DAY}.get(event, 0)
            result = agent.extract()
            if not result.failures:
                looks.append(world.now)
            if event.startswith("republished"):
                agent.republish(month_of(world.now) - 2 - number, month_of(world.now) - number)
            if event == "released":
                agent.release()
            if event == "let go":
                world.remembers = True  # what is let go is shown again, and must not be taken for new
                agent.let_go(world.now - number * 3 * DAY)
            if event != "not sent":
                agent.send()
            if event == "broker lost":
                world.now += 5 * HOUR  # until the other broker takes over
                agent.way.swallows, agent.way.peer = False, "broker-2:6162"
                if not agent.extract().failures:
                    looks.append(world.now)
                done = agent.send()
                if done is None or not done.messages:
                    agent.way.give_back()  # nothing left meanwhile, so nobody could notice
                agent.way.swallowed, agent.way.peer = [], "broker-1:6162"
            repository.summarise(world.now + 600)
        with store.read() as connection:
            assert not list(connection.exec_driver_sql("SELECT vm, month FROM record WHERE rejected IS NOT NULL"))
        store.close()
    return repository, world.now, looks


def check(repository: Repository, population: List[Life], now: int, looks: List[int], active: bool) -> None:
    """Compare the centre with the truth, by machine and month and by the month's sum."""
    due, have = truth(population, now, active), shown(repository)
    assert {key: wall for key, (wall, _) in have.items()} == {key: wall for key, (wall, _) in due.items()}
    datable = {life.uuid for life in population if observed_cpu(life, looks)}
    assert {k: cpu for k, (_, cpu) in have.items() if k[0] in datable} == {
        k: cpu for k, (_, cpu) in due.items() if k[0] in datable
    }
    sums: Dict[int, int] = {}
    for row in repository.summaries():
        sums[row.year * 12 + row.month - 1] = sums.get(row.year * 12 + row.month - 1, 0) + (row.wall or 0)
    true: Dict[int, int] = {}
    for (_, month), (wall, _) in due.items():
        true[month] = true.get(month, 0) + wall
    assert sums == true
