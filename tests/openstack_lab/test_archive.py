"""What the cloud forgets, or remembers from long ago."""

from __future__ import annotations

import calendar
import time

from tests.openstack_lab.site import DAY, run_all
from tests.openstack_lab.world import World


def test_a_server_that_was_archived_unseen_ends_when_it_was_last_seen(world: World) -> None:
    server = world.jane.boot("vm-archived", world.image, world.small, None)
    world.jane.await_status({server: "ACTIVE"})
    sites = {"all projects": world.site(), "by project": world.site("reader")}
    seen = {view: int(run.records[server][0]["RecordCreateTime"]) for view, run in run_all(sites).items()}
    time.sleep(3)
    world.jane.delete(server)
    world.jane.await_gone([server])
    world.lab.archive()

    # absence from one listing says nothing; two full ones a day apart, and nova's own word, do
    for days in range(3):
        runs = run_all(sites)
        for view, run in runs.items():
            assert (server in run.records) == (days == 2), (view, days)
        for site in sites.values():
            site.let_a_day_pass()
    for view, run in runs.items():
        (record,) = run.records[server]
        assert (record["Status"], record["EndTime"]) == ("completed", str(seen[view]))
        assert run.report["clouds"]["main"]["vanished"] == 1


def test_the_months_of_an_old_server_are_closed(world: World) -> None:
    server = world.jane.boot("vm-old", world.image, world.large, None)
    world.jane.await_status({server: "ACTIVE"})
    today = time.gmtime()
    start = calendar.timegm((today.tm_year, today.tm_mon - 2, 17, 12, 0, 0))
    aged = f"created_at = FROM_UNIXTIME({start}), launched_at = FROM_UNIXTIME({start + 30})"
    world.lab.database.run(f"SET time_zone = '+0:00'; UPDATE instances SET {aged} WHERE uuid = '{server}'", "nova")
    sites = {
        "lifetime": world.site(),
        "active": world.site(wall="active"),
        "by project": world.site("reader", page_size=1),
    }
    edges = [calendar.timegm((today.tm_year, today.tm_mon - back, 1, 0, 0, 0)) for back in (1, 0)]
    for view, run in run_all(sites).items():
        records = sorted(run.records[server], key=lambda record: int(record["RecordCreateTime"]))
        rows = [(int(r["RecordCreateTime"]), int(r["WallDuration"]), r["CpuDuration"]) for r in records]
        *closed, present = rows
        assert closed == [(edge - 1, edge - start, str(4 * (edge - start))) for edge in edges], view
        assert present[1] == present[0] - start
        assert {record["StartTime"] for record in records} == {str(start)}
        assert abs(present[0] - run.began) < DAY
    world.jane.delete(server)
    world.jane.await_gone([server])


def test_every_server_is_seen_whatever_the_page_size(world: World) -> None:
    servers = [world.jane.boot(f"vm-page-{n}", world.image, world.small, None) for n in range(5)]
    world.jane.await_status(dict.fromkeys(servers, "ACTIVE"))
    for server in servers[:2]:
        world.jane.delete(server)
    world.jane.await_gone(servers[:2])
    sites = {
        f"{account}, {size}": world.site(account, page_size=size)
        for account in ("accountant", "reader")
        for size in (1, 2, 1000)
    }
    for view, run in run_all(sites).items():
        states = {server: [record["Status"] for record in run.records[server]] for server in servers}
        assert states == {s: ["completed" if s in servers[:2] else "started"] for s in servers}, view
    for server in servers[2:]:
        world.jane.delete(server)
    world.jane.await_gone(servers)
