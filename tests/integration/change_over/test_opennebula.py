"""Sites of OpenNebula go over from oneacct-export or goat to us in the middle of a month."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, List
from zoneinfo import ZoneInfo

import pytest

from fedcloud_agent.clock import DAY, HOUR, parse_month
from tests.federation.box import SITE, Box
from tests.federation.former import Goat, Oneacct
from tests.integration.change_over.centre import Centre, Life, Months, due, last_values, summed
from tests.unit.accounting.test_measurement import at

BEGAN = at("2026-01-10")
NIGHT = 2 * HOUR
CHANGE = at("2026-02-12 14:20:00")
JANUARY, FEBRUARY = parse_month("2026-01"), parse_month("2026-02")
SERVICE = "one.example.org"
ENDPOINT = "https://occi.example.org:11443/"
AFTER = (
    "2026-02-13 15:00:00",
    "2026-02-21 10:00:00",
    "2026-02-28 23:00:00",
    "2026-03-01 01:00:00",
    "2026-03-04 09:00:00",
    "2026-04-02 12:00:00",
)


def populate(box: Box) -> Dict[str, int]:
    births = {
        "alive": "2026-01-10 08:00:00",
        "ended long before": "2026-01-10 08:00:00",
        "ended at the turn of the month": "2026-01-10 08:00:01",
        "ended and purged": "2026-01-25 01:02:03",
        "ended on the day": "2026-01-12",
        "ended between the two": "2026-01-12 10:00:00",
        "ended on the day after": "2026-02-01",
        "ended in March": "2026-01-31 23:59:59",
        "born between the two": "2026-02-12 03:10:00",
        "born later": "2026-02-27 12:00:00",
        "suspended in January": "2026-01-11",
        "suspended over the turn": "2026-01-11",
        "suspended over the change": "2026-01-11",
        "off since January": "2026-01-11",
        "undeployed": "2026-02-03",
        "migrated": "2026-01-13",
    }
    details = {"pending": 60, "prolog": 120, "boot": 30, "vcpu": 2, "rates": [100_000, 1_000_000]}
    machines = {name: box.create_vm(name=name, created=at(when), **details) for name, when in births.items()}
    machines["never deployed"] = box.create_vm(created=at("2026-02-02"), deploy=False)
    acts = [
        ("ended long before", "terminate", "2026-01-20 20:20:20"),
        ("ended at the turn of the month", "terminate", "2026-01-31 23:30:00"),
        ("ended and purged", "terminate", "2026-02-03 03:33:33"),
        ("ended on the day", "terminate", "2026-02-12 01:15:00"),
        ("ended between the two", "terminate", "2026-02-12 14:05:00"),
        ("ended on the day after", "terminate", "2026-02-13 00:00:01"),
        ("ended in March", "terminate", "2026-03-01 17:00:00"),
        ("suspended in January", "suspend", "2026-01-14"),
        ("suspended in January", "resume", "2026-01-16"),
        ("suspended over the turn", "suspend", "2026-01-25"),
        ("suspended over the turn", "resume", "2026-02-05"),
        ("suspended over the change", "suspend", "2026-02-10"),
        ("suspended over the change", "resume", "2026-02-20"),
        ("off since January", "poweroff", "2026-01-20"),
        ("off since January", "terminate", "2026-02-25"),
        ("undeployed", "undeploy", "2026-02-08"),
        ("undeployed", "resume", "2026-03-02"),
        ("migrated", "live_migrate", "2026-01-30"),
        ("migrated", "live_migrate", "2026-02-15"),
    ]
    box.oned.acts(
        {"vm": machines[name], "action": action, "at": at(when), **({"host": 1} if "migrate" in action else {})}
        for name, action, when in acts[:-1]
    )
    box.oned.act(machines["migrated"], "live_migrate", at=at("2026-02-15"), host=0)
    return machines


@pytest.fixture()
def box(tmp_path: Path, profile: str) -> Iterator[Box]:
    with Box(tmp_path / "box", broker=False, openstack=False, opennebula=profile) as box:
        box.set_clock(BEGAN)
        yield box


def nights(first: int, last: int) -> Iterator[int]:
    return iter(range(first - first % DAY + NIGHT, last, DAY))


def go_on(centre: Centre) -> int:
    """Let the agent work from the change on, until two months later."""
    centre.pass_to(CHANGE)
    centre.agent()
    for when in AFTER:
        centre.pass_to(at(when))
        centre.agent()
    return at(AFTER[-1])


def lives(box: Box, names: Dict[int, str], since: int = 0) -> Dict[str, Life]:
    """Return the truth on machines that ever ran, by their VMUUIDs: what they used from an instant on."""

    def life(vm: int) -> Life:
        one = known[vm]
        return Life(max(one.created, since), one.ended, lambda until: (one.seconds(since, until),) * 2)

    known = box.oned.truth()
    return {
        name.lower(): life(vm) for vm, name in names.items() if known[vm].runs and (known[vm].ended or since) >= since
    }


def split(months: Months) -> List[Months]:
    return [
        {key: used for key, used in months.items() if key[1] < FEBRUARY},
        {key: used for key, used in months.items() if key[1] >= FEBRUARY},
    ]


@pytest.mark.parametrize("profile", ["5.4", "6.10"])
def test_from_oneacct_export(box: Box) -> None:
    box.configure(
        settings="first_run: continue\ncpu_duration: wall\nfqan_style: voms",
        oned_settings=f"uuid_style: oneacct\nuuid_zone: Europe/Prague\nuuid_endpoint: {ENDPOINT}",
    )
    machines, centre = populate(box), Centre(box)
    former_tool = Oneacct(box.oned, ENDPOINT, ZoneInfo("Europe/Prague"), SITE, SERVICE)
    for now in nights(BEGAN + DAY, CHANGE):
        centre.pass_to(now)
        centre.load(former_tool.run(now))
        if now == at("2026-02-10 02:00:00"):
            box.oned.purge_done([machines["ended and purged"]])
    before, _ = split(centre.months())
    former = last_values(centre.repository, FEBRUARY)
    january = centre.sums(CHANGE)[JANUARY]

    end = go_on(centre)
    known = box.oned.truth()
    names = {vm: former_tool.name(vm, known[vm].created) for vm in machines.values()}
    expected = due(lives(box, names), former, FEBRUARY, end)
    left, ours = split(centre.months())
    assert ours == expected
    assert left == before
    sums = centre.sums(end)
    assert sums == summed({**before, **expected}), "a machine stands in one sum of a month, and in no other"
    assert sums[JANUARY] == january
    counted = [row for row in centre.repository.records() if row.month > 1 and row.start and row.start < CHANGE]
    assert {row.network_in for row in counted if row.cloud_type.startswith("fedcloud")} == {None}

    # a live machine is dated by start and wall time there: what it ran after a suspension counts in a month too early
    early = names[machines["suspended over the turn"]].lower()
    assert before[early, JANUARY][0] > known[machines["suspended over the turn"]].seconds(0, at("2026-02-01"))


@pytest.mark.parametrize("profile", ["6.10"])
def test_from_goat(box: Box) -> None:
    """goat counts all again at each run. One of its runs is right; it was the only one, at midnight of the change."""
    date = at("2026-02-12")
    box.configure(
        settings="first_run: {baseline: 2026-02-12}\ncpu_duration: wall\nfqan_style: voms",
        oned_settings="uuid_style: agent",
    )
    machines, centre = populate(box), Centre(box)
    centre.pass_to(date)
    centre.load(Goat(box.oned, SITE, SERVICE).run(date))
    left = centre.months()
    goat = centre.sums(date)

    end = go_on(centre)
    known = box.oned.truth()
    names = {vm: Oneacct(box.oned, box.oned.url, ZoneInfo("UTC"), SITE).name(vm, known[vm].created) for vm in known}
    expected = due(lives(box, names, since=date), {}, FEBRUARY, end)
    shown = centre.months()
    assert {key: used for key, used in shown.items() if key not in left} == expected
    assert {key: used for key, used in shown.items() if key in left} == left
    sums = centre.sums(end)
    assert sums == summed({**left, **expected}) and sums[JANUARY] == goat[JANUARY]
    total = sum(one.seconds(0, min(end, one.ended or end)) for one in known.values())
    assert sum(one.wall for one in sums.values()) == total, "no second is lost, and none counted twice"
    assert set(machines.values()) == set(known)
