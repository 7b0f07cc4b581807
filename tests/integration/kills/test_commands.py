"""Killed at every point where it commits or sends, the agent loses nothing and sends nothing twice in two ways.

A point is a system call: the command dies as it enters the N-th one of its kind, for every N until a run comes through.
Then the same command runs in peace, and what is at the centre must equal the ledger and the truth.
"""

from __future__ import annotations

import shutil

from fedcloud_agent.clock import DAY
from tests.integration.kills.conftest import COMMITS, Site
from tests.torture.everywhere import everywhere


def test_the_first_extraction(site: Site) -> None:
    def after() -> None:
        site.well("accounting", "run")
        site.arrive()
        site.check()

    assert everywhere(site.agent, [*COMMITS], ["accounting", "extract"], site.forget, after) > 20


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
    taken = site.box.directory / "taken"
    shutil.copytree(site.outgoing, taken)
    site.box.cloud.act(sorted(site.box.cloud.truth())[1], "delete", at=site.now + DAY)
    site.move(13 * DAY)  # over the end of the month

    def before() -> None:
        site.forget()
        shutil.copytree(taken, site.outgoing, dirs_exist_ok=True)
        site.arrive()

    def after() -> None:
        site.arrive()
        site.well("accounting", "run")
        site.arrive()
        site.check()

    calls = ["fdatasync", "link", "sendto"]
    assert everywhere(site.agent, calls, ["accounting", "run"], before, after) > 20
