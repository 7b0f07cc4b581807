"""Killed at every point where it commits or sends, the agent loses nothing and sends nothing twice in two ways.

A point is a system call: the command dies as it enters the N-th one of its kind, for every N until a run comes through.
Then the same command runs in peace, and what is at the centre must equal the ledger and the truth.
"""

from __future__ import annotations

from fedcloud_agent.clock import DAY
from tests.integration.kills.conftest import COMMITS, Site
from tests.torture.everywhere import everywhere


def test_the_first_extraction(site: Site) -> None:
    assert everywhere(site.agent, COMMITS, ["accounting", "extract"], site.forget, site.settle) > 20


def test_sending_into_a_directory(site: Site) -> None:
    site.well("accounting", "extract")
    site.keep()

    def after() -> None:
        site.arrive()  # the other program may look at any moment
        site.well("accounting", "send")
        site.arrive()
        site.check()

    calls = [*COMMITS, "write", "link", "unlink"]
    assert everywhere(site.agent, calls, ["accounting", "send"], site.forget, after) > 15


def test_a_later_run_with_messages_under_way(site: Site) -> None:
    site.well("accounting", "extract")
    assert site.agent.run_until("link", 2, "accounting", "send").killed
    site.keep()
    site.box.cloud.act(sorted(site.box.cloud.truth())[1], "delete", at=site.now + DAY)
    site.move(13 * DAY)  # over the end of the month

    def after() -> None:
        site.arrive()
        site.settle()

    calls = ["fdatasync", "link", "sendto"]
    assert everywhere(site.agent, calls, ["accounting", "run"], site.forget, after) > 20
