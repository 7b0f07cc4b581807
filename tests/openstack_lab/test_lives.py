"""The lives of servers on a real cloud, and what the agent's records say of them, step by step, for each account.

The records are held against what was done and when, not against what nova says of it.
"""

from __future__ import annotations

import time
from typing import Dict, Mapping, Tuple

from tests.openstack_lab.layout import HOST
from tests.openstack_lab.site import SITE, Run, Site, run_all
from tests.openstack_lab.world import APPLIANCE, JANE, World

PAUSES = {
    "stopped": ("os-stop", None, "SHUTOFF", "os-start"),
    "suspended": ("suspend", None, "SUSPENDED", "resume"),
    "paused": ("pause", None, "PAUSED", "unpause"),
    "shelved": ("shelve", None, "SHELVED", "unshelve"),
}
"""How a server comes to rest and back: action, its argument, status, action."""
REST = 8.0
SLACK = 2
"""Seconds: the cloud cuts fractions off, and records an action a moment after it was asked for."""


class Views:
    """The same cloud, accounted by several sites: with all projects at once, or project by project."""

    def __init__(self, world: World) -> None:
        self.sites: Dict[str, Site] = {
            "all projects, lifetime": world.site(),
            "all projects, active": world.site(wall="active"),
            "by project, lifetime": world.site("reader"),
            "by project, active": world.site("reader", wall="active"),
            "system reader": world.site("auditor", auth={"system_scope": True}),
        }

    def run(self) -> Dict[str, Run]:
        return run_all(self.sites)


def lone(run: Run, server: str) -> Dict[str, str]:
    (record,) = run.records[server]
    return record


def number(record: Mapping[str, str], *keys: str) -> Tuple[int, ...]:
    return tuple(int(record[key]) for key in keys)


def about(value: int, seconds: float) -> bool:
    return abs(value - seconds) <= SLACK


def active(view: str) -> bool:
    return view.endswith("active")


def test_lives(world: World) -> None:
    jane, admin = world.jane, world.admin
    views = Views(world)
    names = [*PAUSES, "resized", "rebuilt", "deleted", "floating", "large"]
    asked: Dict[str, float] = {}
    servers: Dict[str, str] = {}
    for name in names:
        asked[name] = time.time()
        flavor = world.large if name == "large" else world.small
        servers[name] = jane.boot(f"vm-{name}", world.appliance, flavor, world.network)
    never = jane.boot("vm-never", world.image, world.impossible, None)
    jane.await_status({**dict.fromkeys(servers.values(), "ACTIVE"), never: "ERROR"})
    built = time.time()
    world.give_floating_address(servers["floating"])
    # an hour old: of the first ten minutes a rest on no host cannot be told from a slow start
    hour_ago = f"created_at = created_at - INTERVAL 1 HOUR WHERE uuid = '{servers['shelved']}'"
    world.lab.database.run(f"UPDATE instances SET {hour_ago}", "nova")
    asked["shelved"] -= 3600

    # every server that was ever launched has one record, and it says who used what
    starts: Dict[str, int] = {}
    for view, run in views.run().items():
        assert never not in run.records, view
        for name, server in servers.items():
            record = lone(run, server)
            measured, start, wall, suspend = number(
                record, "RecordCreateTime", "StartTime", "WallDuration", "SuspendDuration"
            )
            starts[name] = start
            cpus = 4 if name == "large" else 1
            assert int(asked[name]) <= start <= asked[name] + (built - asked[names[0]]) + SLACK
            assert run.began - SLACK <= measured <= run.ended + SLACK
            assert (wall, suspend) == (measured - start, 0)
            expected = {
                "SiteName": SITE,
                "CloudComputeService": HOST,
                "MachineName": f"vm-{name}",
                "LocalUserId": jane.id,
                "LocalGroupId": world.ops,
                "FQAN": "ops",
                "Status": "started",
                "CpuDuration": str(wall * cpus),
                "CpuCount": str(cpus),
                "PublicIPCount": "1" if name == "floating" else "0",
                "Memory": "2048" if name == "large" else "512",
                "Disk": "15" if name == "large" else "1",
                "ImageId": APPLIANCE,
                **({"BenchmarkType": "HEPscore23", "Benchmark": "12.5"} if name == "large" else {}),
                **({} if view.startswith("by project") else {"GlobalUserName": JANE}),
            }
            assert {key: record.get(key) for key in expected} == expected, view
            assert "EndTime" not in record
            assert record["CloudType"].endswith("(OpenStack)")
            assert ("GlobalUserName" in record) == (not view.startswith("by project")), view

    # at rest, of another size, of another image, gone
    time.sleep(max(0.0, built + 7 - time.time()))
    rested: Dict[str, float] = {}
    for name, (action, told, _, _) in PAUSES.items():
        rested[name] = time.time()
        jane.act(servers[name], action, told)
    resize = [time.time()]
    jane.act(servers["resized"], "resize", {"flavorRef": world.large})
    jane.act(servers["rebuilt"], "rebuild", {"imageRef": world.image})
    brief = jane.boot("vm-brief", world.image, world.small, None)
    jane.await_status({servers[name]: status for name, (_, _, status, _) in PAUSES.items()})
    jane.await_status({servers["resized"]: "VERIFY_RESIZE", servers["rebuilt"]: "ACTIVE", brief: "ACTIVE"})
    jane.act(servers["resized"], "confirmResize")
    admin.act(servers["shelved"], "shelveOffload")
    ended = [time.time()]
    for server in (servers["deleted"], brief):
        jane.delete(server)
    jane.await_status({servers["resized"]: "ACTIVE", servers["shelved"]: "SHELVED_OFFLOADED"})
    jane.await_gone([servers["deleted"], brief])
    ended.append(time.time())
    resize.append(time.time())
    time.sleep(max(0.0, max(rested.values()) + REST - time.time()))

    for view, run in views.run().items():
        for name in PAUSES:
            record = lone(run, servers[name])
            measured, wall, suspend, cpu = number(
                record, "RecordCreateTime", "WallDuration", "SuspendDuration", "CpuDuration"
            )
            assert record["Status"] == "suspended", (view, name)
            assert wall + suspend == measured - starts[name]
            assert cpu == wall
            assert about(wall, (rested[name] if active(view) else measured) - starts[name]), (view, name)
        record = lone(run, servers["resized"])
        measured, wall, cpu = number(record, "RecordCreateTime", "WallDuration", "CpuDuration")
        assert (record["Status"], record["CpuCount"], record["Memory"], record["Disk"]) == (
            "started",
            "4",
            "2048",
            "15",
        )
        assert (wall, record["Benchmark"]) == (measured - starts["resized"], "12.5")
        sooner, later = (wall + 3 * (measured - at) for at in resize)
        assert later - SLACK <= cpu <= sooner + SLACK, view
        record = lone(run, servers["rebuilt"])
        assert (record["Status"], record["ImageId"], record["StartTime"]) == (
            "started",
            world.image,
            str(starts["rebuilt"]),
        )
        assert record["SuspendDuration"] == "0"
        for server in (servers["deleted"], brief):
            record = lone(run, server)
            start, end, wall, suspend = number(record, "StartTime", "EndTime", "WallDuration", "SuspendDuration")
            assert record["Status"] == "completed"
            assert ended[0] - SLACK <= end <= ended[1] + SLACK
            assert (wall + suspend, record["CpuDuration"]) == (end - start, str(wall))
            # who is asked to go may linger, as softly deleted ones do: it ran until it was asked
            assert about(wall, ended[0] - start) if active(view) else suspend == 0, (view, server)
            assert record["RecordCreateTime"] == str(end)
        assert set(run.records) & {servers["floating"], servers["large"], never} == set(), view

    # back at work, then all gone
    woken: Dict[str, float] = {}
    for name, (_, _, _, action) in PAUSES.items():
        woken[name] = time.time()
        jane.act(servers[name], action)
    jane.await_status(dict.fromkeys((servers[name] for name in PAUSES), "ACTIVE"))
    for view, run in views.run().items():
        for name in PAUSES:
            record = lone(run, servers[name])
            measured, wall, suspend = number(record, "RecordCreateTime", "WallDuration", "SuspendDuration")
            assert record["Status"] == "started", (view, name)
            assert wall + suspend == measured - starts[name]
            assert about(suspend, woken[name] - rested[name] if active(view) else 0), (view, name)

    living = [name for name in names if name != "deleted"]
    leaving = time.time()
    for name in living:
        jane.delete(servers[name])
    jane.delete(never)
    jane.await_gone([*servers.values(), never])
    for view, run in views.run().items():
        assert never not in run.records, view
        for name in living:
            record = lone(run, servers[name])
            end, wall, suspend = number(record, "EndTime", "WallDuration", "SuspendDuration")
            assert record["Status"] == "completed"
            assert leaving - SLACK <= end <= run.began + SLACK
            assert wall + suspend == end - starts[name]
            rest = woken[name] - rested[name] if name in PAUSES else 0
            lingered = max(0.0, end - leaving)
            expected = (rest - SLACK, rest + lingered + 2 * SLACK) if active(view) else (0, 0)
            assert expected[0] <= suspend <= expected[1], (view, name)
        assert lone(run, servers["floating"])["PublicIPCount"] == "1"

    # nothing is left to say
    for view, run in views.run().items():
        assert set(run.records) & {*servers.values(), never, brief} == set(), view
