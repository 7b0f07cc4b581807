"""What was set aside is judged again, and leaves once its reason is mended."""

from __future__ import annotations

from typing import List

import pytest
from sqlalchemy import select, update

from fedcloud_agent.accounting import packing
from fedcloud_agent.accounting.release import Wanted, release
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.outbox import queue
from fedcloud_agent.outbox.table import message
from fedcloud_agent.store.engine import Store
from tests.federation.central.repository import Repository
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.test_story import run, world_of
from tests.unit.accounting.world import Agent, Life, shown, truth


def set_aside(store: Store) -> List[str]:
    with store.read() as connection:
        return list(connection.execute(select(record.c.rejected).where(record.c.rejected.is_not(None))).scalars())


def population() -> List[Life]:
    return [
        Life("vm-1", at("2026-01-20"), None, [(0, 1)]),
        Life("vm-2", at("2026-01-25"), at("2026-02-10"), [(0, 2)]),
        Life("vm-3", at("2026-01-02"), at("2026-02-03"), [(0, 2)]),
    ]


def test_months_of_an_ended_machine_leave_once_their_site_is_mended(store: Store) -> None:
    lives, repository = population(), Repository()
    agent = Agent(store, world_of(*lives), repository)
    good = agent.frame
    agent.frame = good._replace(site="none")
    run(agent, "2026-02-20")
    assert set_aside(store) == ["SiteName is missing"] * 6
    agent.frame = good._replace(site="null")
    told = agent.release()
    assert told.records == 0 and {one.reason for one in told.kept} == {"SiteName is missing"}
    agent.frame = good
    assert agent.release().records == 6
    agent.send()
    assert shown(repository) == truth(lives, at("2026-02-20"))
    assert {row.site for row in repository.records()} == {good.site}
    assert agent.release() == ((0, (), ()))


def test_what_the_ledger_knows_better_by_now_is_taken(store: Store) -> None:
    agent = Agent(store, world_of(*population()), Repository())
    run(agent, "2026-01-21")
    with store.write() as connection:
        connection.execute(update(vm).values(image="x" * 300))
    agent.world.tell = lambda life, now, tell=agent.world.tell: tell(life, now)._replace(image="x" * 300)  # type: ignore
    run(agent, "2026-02-20")
    assert all("ImageId is 300 characters long" in reason for reason in set_aside(store))
    with store.write() as connection:
        connection.execute(update(vm).where(vm.c.uuid == "vm-3").values(image="short"))
    told = release(store, Wanted(machines=frozenset({"vm-3", "unknown"})), {"main": agent.frame})
    assert told.records == 2 and not told.kept
    assert release(store, Wanted(machines=frozenset({"vm-2"})), {}).kept[0].month == "2026-01"


def test_records_of_a_refused_message_leave_under_a_new_identity(store: Store) -> None:
    lives, repository = population(), Repository()
    agent = Agent(store, world_of(*lives), repository)
    agent.way.refuses = 0
    run(agent, "2026-02-20")
    agent.way.refuses = None
    (refused,) = list_quarantined(store)
    assert len(set_aside(store)) == 4
    with store.read() as connection:
        body = connection.execute(select(message.c.body).where(message.c.id == refused)).scalar_one()
    told = release(store, Wanted(messages=frozenset({refused})), {"main": agent.frame})
    assert told == (4, (), (refused,))
    agent.send()
    assert shown(repository) == truth(lives, at("2026-02-20"))
    again = [identity for identity, sent in agent.way.seen.items() if sent == body]
    assert len(again) == 2 and again[0] == refused != again[1]
    assert list_quarantined(store) == []


def list_quarantined(store: Store) -> List[str]:
    with store.read() as connection:
        return [one.id for one in queue.quarantined(connection)]


def test_one_machine_of_a_refused_message_leaves_the_message_for_the_others(store: Store) -> None:
    agent = Agent(store, world_of(*population()), Repository())
    agent.way.refuses = 0
    run(agent, "2026-02-20")
    (refused,) = list_quarantined(store)
    told = release(store, Wanted(machines=frozenset({"vm-1"})), {"main": agent.frame})
    assert told.records == 2 and told.messages == ()
    assert agent.release().messages == (refused,)


@pytest.mark.parametrize(
    "reason", ["ImageId is 300 characters long, the repository keeps 255", "message was refused: "]
)
def test_only_a_refusal_names_a_message(reason: str) -> None:
    assert packing.refused_message(reason) is None
    assert packing.refused_message(packing.words_of_refusal("5ba24c88/5ba24c8f0f129d") + reason) == (
        "5ba24c88/5ba24c8f0f129d"
    )
