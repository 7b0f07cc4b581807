"""A site goes over from cASO to us in the middle of a month."""

from __future__ import annotations

import contextlib
from typing import Dict, Iterator, NamedTuple

import pytest

from fedcloud_agent.clock import HOUR, parse_month
from tests.federation.box import PROJECT, SITE, VO, Box
from tests.federation.former import Caso
from tests.integration.change_over.centre import Centre, Life, due, last_values, summed
from tests.unit.accounting.test_measurement import at

BEGAN = at("2026-01-10")
CHANGE = at("2026-02-12 14:20:00")
FEBRUARY = parse_month("2026-02")
SERVICE = "cloud.example.org"


class Site(NamedTuple):
    box: Box
    centre: Centre
    servers: Dict[str, str]


def populate(box: Box) -> Dict[str, str]:
    """Let servers be whose lives touch the change in every way; what is to happen happens when the clock is there."""
    births = {
        "alive": ("2026-01-10 08:00:00", "large"),
        "ended long before": ("2026-01-10 08:00:00", "small"),
        "ended at the turn of the month": ("2026-01-10 08:00:01", "small"),
        "ended in a run that was lost": ("2026-01-20 12:34:56", "small"),
        "ended and purged": ("2026-01-25 01:02:03", "small"),
        "ended on the day": ("2026-01-12", "large"),
        "ended between the two": ("2026-01-12 10:00:00", "small"),
        "ended on the day after": ("2026-02-01", "small"),
        "ended in March": ("2026-01-31 23:59:59", "small"),
        "ended at midnight": ("2026-01-31 12:00:00", "small"),
        "born between the two": ("2026-02-12 14:10:00", "small"),
        "born later": ("2026-02-27 12:00:00", "small"),
        "stopped": ("2026-01-15", "small"),
        "shelved": ("2026-01-15", "small"),
        "in error": ("2026-01-16", "small"),
        "resized before": ("2026-01-17", "small"),
        "resized after": ("2026-01-18", "small"),
    }
    image = box.cloud.create_image("ubuntu", vmcatcher_event_ad_mpuri="https://appdb.example.org/store/vm/image/1:2")
    servers = {
        name: box.create_server(name=name, created=at(instant), flavor=flavor, image=image)
        for name, (instant, flavor) in births.items()
    }
    servers["never launched"] = box.create_server(name="never launched", created=at("2026-02-02"), state="error")
    acts = [
        ("ended long before", "delete", "2026-01-20 20:20:20"),
        ("ended at the turn of the month", "delete", "2026-01-31 23:30:00"),
        ("ended in a run that was lost", "delete", "2026-02-05 10:30:00"),
        ("ended and purged", "delete", "2026-02-03 03:33:33"),
        ("ended on the day", "delete", "2026-02-12 09:15:00"),
        ("ended between the two", "delete", "2026-02-12 14:05:00"),
        ("ended on the day after", "delete", "2026-02-13 00:00:01"),
        ("ended in March", "delete", "2026-03-01 17:00:00"),
        ("ended at midnight", "delete", "2026-03-01"),
        ("stopped", "stop", "2026-01-28"),
        ("stopped", "start", "2026-02-20"),
        ("shelved", "shelve", "2026-02-10"),
        ("in error", "error", "2026-02-11"),
        ("resized before", "resize", "2026-02-09 12:00:00"),
        ("resized before", "confirm_resize", "2026-02-09 12:01:00"),
        ("resized after", "resize", "2026-02-21 12:00:00"),
        ("resized after", "confirm_resize", "2026-02-21 12:00:00"),
    ]
    box.cloud.acts(
        {
            "server": servers[name],
            "action": action,
            "at": at(instant),
            **({"flavor": "large"} if action == "resize" else {}),
        }
        for name, action, instant in acts
    )
    return servers


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site after a month of cASO."""
    with Box(tmp_path_factory.mktemp("box"), broker=False, settings="first_run: continue") as box:
        box.set_clock(BEGAN)
        servers = populate(box)
        centre = Centre(box)
        with contextlib.closing(Caso(box.cloud, PROJECT, VO, SITE, SERVICE)) as caso:
            for now in range(BEGAN + HOUR, CHANGE, HOUR):
                centre.pass_to(now)
                texts = caso.run(now)
                if now != at("2026-02-05 11:00:00"):
                    centre.load(texts)
                if now == at("2026-02-10 03:00:00"):
                    box.cloud.purge([servers["ended and purged"]])
        yield Site(box, centre, servers)


def lives(site: Site) -> Dict[str, Life]:
    known = site.box.cloud.truth()
    del known[site.servers["never launched"]]
    return {
        uuid: Life(
            one.created,
            one.ended,
            lambda until, one=one: (one.seconds(0, until), one.cpu_seconds(0, until)),  # type: ignore[misc]
        )
        for uuid, one in known.items()
    }


def test_every_month_is_right(reported: Site) -> None:
    box, centre, servers = reported
    before = {key: used for key, used in centre.months().items() if key[1] < FEBRUARY}
    former = last_values(centre.repository, FEBRUARY)
    centre.pass_to(CHANGE)
    sums_before = centre.sums(CHANGE)
    centre.agent()
    for when in ("2026-02-13 15:00:00", "2026-02-21 10:00:00", "2026-02-22 10:00:00", "2026-02-28 23:00:00"):
        centre.pass_to(at(when))
        centre.agent()
    for when in ("2026-03-01 01:00:00", "2026-03-02 12:00:00", "2026-03-04 09:00:00", "2026-04-02 12:00:00"):
        centre.pass_to(at(when))
        centre.agent()
    end = at("2026-04-02 12:00:00")

    expected = due(lives(reported), former, FEBRUARY, end)
    # what never ran is a second with cASO and nothing with us
    expected[servers["never launched"], FEBRUARY] = (1, 1)
    # what it had before its first look at a machine counts with the CPUs of that look, with cASO as with us
    resized = servers["resized before"]
    whole = at("2026-03-01") - lives(reported)[resized].start
    expected[resized, FEBRUARY] = (whole - former[resized][0], 4 * whole - former[resized][1])
    shown = centre.months()
    assert {key: used for key, used in shown.items() if key[1] >= FEBRUARY} == expected
    assert {key: used for key, used in shown.items() if key[1] < FEBRUARY} == before

    sums = centre.sums(end)
    months = summed({**before, **expected})
    assert sums == months, "a machine stands in one sum of a month, and in no other"
    assert sums[FEBRUARY - 1] == sums_before[FEBRUARY - 1], "January is as cASO left it"
    slip = sums[FEBRUARY].wall - summed(due(lives(reported), {}, FEBRUARY - 1, end))[FEBRUARY].wall
    assert 0 < slip <= HOUR * sum(key[1] < FEBRUARY for key in shown), "cASO's last looks at January"
