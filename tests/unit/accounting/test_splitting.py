"""Messages that are too large: made anew as two until they fit, and what holds for a machine-month holds throughout."""

from __future__ import annotations

from typing import List, Optional, Tuple

from sqlalchemy import select

from fedcloud_agent.accounting import packing
from fedcloud_agent.accounting.packing import Limits
from fedcloud_agent.accounting.tables import record
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.table import QUARANTINED, message
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.test_story import run, sums
from tests.unit.accounting.world import Agent, Life, World, shown, truth


def agent_of(store: Store, *lives: Life, largest: Optional[int] = None) -> Tuple[Agent, Repository]:
    repository = Repository()
    agent = Agent(store, World(list(lives)), repository)
    agent.limits = Limits("0.4", 100, 100_000)
    agent.way.largest = largest
    return agent, repository


def machines(count: int) -> List[Life]:
    return [Life(f"vm-{number}", at("2026-01-20") + number, None, [(0, 1)]) for number in range(count)]


def messages(store: Store) -> List[Tuple[str, Optional[int], int, str]]:
    """Return (id, attempted, records, body) of every message."""
    with store.read() as connection:
        rows = connection.execute(select(message).order_by(message.c.id)).all()
    return [(row.id, row.attempted, row.records, bytes(row.body).decode()) for row in rows]


def test_what_is_too_large_arrives_in_pieces_in_the_same_run(store: Store) -> None:
    lives = machines(13)
    agent, repository = agent_of(store, *lives, largest=2)
    run(agent, "2026-02-03")
    assert shown(repository) == truth(lives, at("2026-02-03"))
    assert len(agent.way.seen) >= 13 and list(agent.way.seen) == sorted(agent.way.seen)
    assert max(body.count(b"VMUUID") for body in agent.way.seen.values()) <= 2
    assert messages(store) == []
    agent.world.now = at("2026-02-03 06:00:00")
    agent.extract()
    done = agent.send()
    assert done is not None and (done.refused, done.split, done.records) == ([], 7, 13)
    assert shown(repository) == truth(lives, at("2026-02-03 06:00:00"))


def test_a_single_record_that_is_too_large_is_set_aside_with_its_reason(store: Store) -> None:
    agent, repository = agent_of(store, *machines(2), largest=0)
    agent.world.now = at("2026-01-21")
    agent.extract()
    done = agent.send()
    assert done is not None and done.split == 1 and len(done.refused) == 2
    with store.read() as connection:
        reasons = connection.execute(select(record.c.rejected)).scalars().all()
        states = connection.execute(select(message.c.state)).scalars().all()
    assert states == [QUARANTINED] * 2
    assert all("was refused: Message size is too large" in str(reason) for reason in reasons)
    assert repository.records() == []
    agent.way.largest = None
    run(agent, "2026-01-22")
    assert len(repository.records()) == 2, "the next record of a machine is another one"


def test_halves_hold_the_very_records_under_greater_identities(store: Store) -> None:
    agent, _ = agent_of(store, *machines(5))
    agent.world.now = at("2026-02-03")
    agent.extract()
    agent.way.breaks = 0
    agent.send()
    ((whole, attempted, count, body),) = messages(store)
    assert (attempted, count) == (None, 10)
    with store.write() as connection:
        assert packing.split(connection, "central", whole, agent.limits, agent.now(), refused=True)
    halves = messages(store)
    assert [(one[1], one[2]) for one in halves] == [(None, 5), (None, 5)]
    assert whole < halves[0][0] < halves[1][0]
    header, _, rest = body.partition("\n")
    assert "".join(one[3].partition("\n")[2] for one in halves) == rest
    assert all(one[3].startswith(f"{header}\nRecordCreateTime: ") for one in halves)
    with store.read() as connection:
        for id, _, _, text in halves:
            held = connection.execute(select(record.c.content).where(record.c.message == id)).scalars().all()
            assert sorted(held) == sorted(text.partition("\n")[2].split("%%\n")[:-1])


def test_what_may_have_arrived_is_halved_as_it_is_unless_it_was_refused(store: Store) -> None:
    """A limit of ours was lowered after an attempt without an answer: the halves may not be made anew."""
    agent, _ = agent_of(store, *machines(2))
    agent.way.breaks, agent.way.answer_lost = 0, True
    run(agent, "2026-01-21")
    agent.world.now = at("2026-01-22")
    agent.extract()  # newer records wait behind those under way
    ((whole, attempted, _, _),) = messages(store)
    assert attempted is not None
    with store.write() as connection:
        assert packing.split(connection, "central", whole, agent.limits, agent.now(), refused=False)
    assert [one[1] for one in messages(store)] == [attempted] * 2
    with store.write() as connection:
        assert packing.take_apart(connection, "central", agent.limits, agent.now()) == 0
        large = messages(store)[0][0]
        assert not packing.split(connection, "central", large, agent.limits, agent.now(), refused=False)


def test_a_half_that_may_not_leave_as_it_is_is_made_anew(store: Store) -> None:
    """The end came too late to go out as 'completed': the month is no longer tidied when the message is refused."""
    life = Life("vm-1", at("2026-01-20"), at("2026-01-31 12:00:00"), [(0, 2)])
    other = Life("vm-2", at("2026-01-20"), None, [(0, 1)])
    agent, repository = agent_of(store, life, other)
    run(agent, "2026-01-31 10:00:00")
    repository.summarise(at("2026-02-01 06:00:00"))
    agent.world.now = at("2026-01-31 15:00:00")
    agent.extract()
    agent.way.breaks = 0
    agent.send()
    ((packed, _, count, body),) = messages(store)
    assert count == 2 and "Status: completed" in body
    with store.write() as connection:
        queue.note_attempt(connection, [packed], agent.now())  # and no answer: now it may have arrived
    agent.way.breaks, agent.way.largest = None, 1
    agent.world.now = at("2026-02-04 10:00:00")
    agent.send()
    agent.extract()
    agent.send()
    repository.summarise(at("2026-02-04 12:00:00"))
    used = at("2026-01-31 12:00:00") - life.start + at("2026-02-01") - other.start
    assert sums(repository)["2026-01"] == (used, 2)


def test_only_the_messages_that_are_named_are_taken_apart(store: Store) -> None:
    agent, _ = agent_of(store, *machines(4))
    agent.limits = Limits("0.4", 2, 100_000)
    agent.world.now = at("2026-01-21")
    agent.extract()
    agent.way.breaks = 0
    agent.send()
    first, second = messages(store)
    agent.world.now = at("2026-01-22")
    agent.extract()
    with store.write() as connection:
        assert packing.take_apart(connection, "central", agent.limits, agent.now(), [second[0]]) == 1
    assert [one[0] for one in messages(store)] == [first[0]]
