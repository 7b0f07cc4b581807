"""Killed at every point where they commit or send, republishing and letting go are done once, and whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import Dict, List

from fedcloud_agent.clock import DAY, month_name
from tests.integration.kills.conftest import COMMITS, TINY, Site
from tests.torture import checks
from tests.torture.everywhere import everywhere

REPUBLISH = ("accounting", "republish", "--from", "2025-12", "--to", "2026-01", "--yes")


def taken(site: Site, messages: Dict[str, bytes]) -> None:
    """Take what lies in the directory, as the program does that sends from it."""
    for path in sorted(site.outgoing.glob("*/*")):
        if path.suffix != ".tmp":
            body = path.read_bytes()
            assert messages.setdefault(f"{path.parent.name}/{path.name}", body) == body, "one identity, two contents"
            path.unlink()


def records(messages: Dict[str, bytes]) -> List[str]:
    found = []
    for body in messages.values():
        _, _, rest = body.decode("ascii").partition("\n")
        found += [part.lstrip("\n") for part in rest.split("%%\n") if part]
    return sorted(found)


def contents(site: Site) -> List[str]:
    with sqlite3.connect(site.box.state / "agent.db") as connection:
        return sorted(content for (content,) in connection.execute("SELECT content FROM record"))


def test_republishing(site: Site) -> None:
    site.settle()
    site.keep()
    whole = contents(site)
    assert len(whole) >= 5
    messages: Dict[str, bytes] = {}
    outcomes = set()

    def before() -> None:
        site.forget()
        messages.clear()

    def after() -> None:
        taken(site, messages)
        site.move(60)
        site.well("accounting", "send")
        taken(site, messages)
        left = records(messages)
        assert left in ([], whole), "a part of it was let go, or a record twice"
        outcomes.add(bool(left))
        if not left:
            site.well(*REPUBLISH)
            taken(site, messages)
            assert records(messages) == whole
        assert contents(site) == whole
        checks.assert_settled(site.box.state)

    assert everywhere(site.agent, [*COMMITS, "link"], REPUBLISH, before, after) > 8
    assert outcomes == {True, False}, "some kills came before it was written down, some after"


def test_letting_go(site: Site) -> None:
    shutil.rmtree(site.kept, ignore_errors=True)
    site.forget()
    site.well("accounting", "run")
    site.move(55 * DAY)
    site.settle()
    site.keep()
    site.box.configure(settings=f"{TINY}\nkeep_machines: 62d")
    site.move(10 * DAY)
    truth = checks.truth(site.box.cloud.truth().values(), site.now)
    repository = site.repository
    outcomes: List[List[int]] = []

    def after() -> None:
        site.repository = repository
        for _ in range(2):
            site.well("accounting", "run")
            site.arrive()
        shown = {key: (usage.wall, usage.cpu) for key, usage in repository.usage().items()}
        named = {(uuid, month_name(year * 12 + month - 1)): used for (uuid, year, month), used in shown.items()}
        assert named == truth
        months: Dict[str, int] = {}
        for (_, month), (wall, _) in truth.items():
            months[month] = months.get(month, 0) + wall
        told = site.agent.run("accounting", "show", "--json")
        assert {row["month"]: row["wall"] for row in json.loads(told.out)} == months
        with sqlite3.connect(site.box.state / "agent.db") as connection:
            counts = [
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("vm", "departed", "closing")
            ]
        # killed behind the listing in full, it is left to the next one
        assert counts in ([3, 0, 0], [2, 1, 2]), "one machine of two months is let go, once"
        outcomes.append(counts)

    assert everywhere(site.agent, ["fdatasync", "rename"], ["accounting", "extract"], site.forget, after) > 5
    assert len({str(counts) for counts in outcomes}) == 2 and outcomes[-1] == [2, 1, 2]
