"""Killed at every point where it commits, the agent reads an OpenNebula cloud to the second all the same."""

from __future__ import annotations

from typing import Iterator, List

import pytest

from fedcloud_agent.clock import DAY, HOUR
from tests.federation.box import Box
from tests.integration.kills.conftest import COMMITS, START, TINY, Site
from tests.torture.everywhere import everywhere

Vms = List[int]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Box(
        tmp_path_factory.mktemp("box"), broker=False, settings=TINY, openstack=False, opennebula="6.10"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def vms(box: Box) -> Vms:
    """Three machines of two months: one with a history of many records, one that was stopped, one that ended."""
    oned = box.oned
    box.set_clock(START)
    vms = [box.create_vm(created=START - 30 * DAY - number * HOUR) for number in range(3)]
    for day in range(4, 0, -1):
        oned.act(vms[0], "attach_disk", at=START - day * DAY)
    oned.act(vms[1], "suspend", at=START - 20 * DAY)
    oned.act(vms[1], "resume", at=START - 15 * DAY, boot=30)
    oned.act(vms[2], "terminate", at=START - DAY)
    return vms


def test_the_first_extraction(vms: Vms, site: Site) -> None:
    assert everywhere(site.agent, COMMITS, ["accounting", "extract"], site.forget, site.settle) > 10


def test_a_later_run_with_a_history_between(vms: Vms, site: Site) -> None:
    site.well("accounting", "run")
    site.keep()
    oned = site.box.oned
    oned.purge_history()  # renumbers what was read: nothing of it may be counted again, nor forgotten
    oned.act(vms[0], "live_migrate", at=site.now + 5 * HOUR, host=1, move=90)
    oned.act(vms[0], "poweroff", at=site.now + DAY, shutdown=45)
    oned.act(vms[0], "resume", at=site.now + 3 * DAY)
    oned.act(vms[1], "migrate", at=site.now + 2 * DAY, host=1, save=60, move=600)
    oned.act(vms[1], "terminate", at=site.now + 12 * DAY)
    site.move(13 * DAY)  # over the end of the month

    def after() -> None:
        site.arrive()
        site.settle()

    calls = [*COMMITS, "link"]
    assert everywhere(site.agent, calls, ["accounting", "run"], site.forget, after) > 15
