"""A cloud is recorded and replayed: the plugin reads the same machines, and nothing of the site is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from fedcloud_agent.clouds.contract import VirtualMachine, Window
from fedcloud_agent.http import Bounds
from fedcloud_agent.recording.archive import exchanges
from fedcloud_agent.recording.making import Wish, record
from fedcloud_agent.recording.reading import read
from fedcloud_plugins.openstack.plugin import OpenStack
from fedcloud_plugins.openstack.settings import OpenStackSettings
from tests.federation.replay import Replay
from tests.integration.recording.told import quiet, replayed, told

NOW = 1_795_000_000
DAY = 86400
NAMES = [
    "plain",
    "web-01.example.org",
    "Jane's \U0001f680 box",
    "tab\there",
    "caf\u00e9 \u65e5\u672c",
    "\u202eevil",
    "x" * 255,
]


def populate(site: Any) -> None:
    for number, name in enumerate(NAMES):
        site.server(name=name, created=NOW - (number + 2) * DAY, metadata={"owner": "jane.doe@example.org"})
    for act in ("stop", "pause", "suspend", "shelve", "soft_delete", "rescue", "error", "delete", "resize"):
        details = {"flavor": "large"} if act == "resize" else {}
        server = site.server("vo-bio", "joe", flavor="small", name=f"to-{act}", floating_ips=["131.154.96.7"])
        site.simulator.act(server, act, at=NOW - 3600, **details)
    site.server(state="building", name="never-comes")
    site.server(state="error", name="never-came")
    site.server("private", name="of-no-vo")


def known(machine: VirtualMachine) -> Any:
    """Return what a pseudonym does not touch."""
    names = ("uuid", "name", "user", "group", "global_user", "vo", "image")
    rest = {name: value for name, value in machine._asdict().items() if name not in names}
    return rest, len(machine.name), [len(machine.name.encode()), machine.global_user is None]


def make(cloud: Any, target: Path, wish: Wish) -> None:
    done = record(cloud, "openstack", OpenStackSettings, target, wish, NOW, quiet)
    assert not done.reading.errors, done.reading.errors


@pytest.mark.parametrize("username", ["admin-agent", "reader"])
@pytest.mark.parametrize("highest", [93, 40])
def test_a_replay_brings_the_same_machines(site: Any, tmp_path: Path, username: str, highest: int) -> None:
    populate(site)
    site.simulator.highest_microversion(highest)
    target = tmp_path / "recording.tar.gz"
    wanted = told(site.cloud(username, page_size=5), NOW - 32 * DAY)
    make(site.cloud(username, page_size=5), target, Wish(NOW - 32 * DAY))
    site.simulator.stop()
    got = replayed(OpenStack, target, tmp_path / "replay")
    assert got[0] == wanted[0]
    assert list(map(known, got[1])) == list(map(known, wanted[1]))
    same: Dict[str, str] = {}
    for one, other in zip(wanted[1], got[1]):
        for name in ("uuid", "user", "group", "vo"):
            assert same.setdefault(getattr(one, name), getattr(other, name)) == getattr(other, name)
    assert len(set(same.values())) == len(same)


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ({"kind": "status", "status": 500, "count": None}, "servers/detail.*marker"),
        ({"kind": "status", "status": 403, "count": None}, "servers/detail.*marker"),
        ({"kind": "status", "status": 401, "count": None}, "auth/tokens"),
        ({"kind": "html", "status": 502, "count": None}, "servers/detail.*marker"),
        ({"kind": "html", "status": 200, "count": None}, "image/v2/images"),
        ({"kind": "drop", "count": None}, "identity/v3/users"),
        ({"kind": "truncated", "count": None}, "servers/detail.*marker"),
        ({"kind": "truncated", "honest": True, "count": None}, "servers/detail.*marker"),
        ({"kind": "purge_marker", "count": None}, "servers/detail.*marker"),
        ({"kind": "empty_body", "count": None}, "servers/detail.*marker"),
        ({"kind": "status", "status": 503, "retry_after": 0, "count": 2}, "servers/detail.*marker"),
        ({"kind": "expire_tokens"}, "servers/detail.*marker"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value,
)
def test_trouble_comes_again(site: Any, tmp_path: Path, fault: Dict[str, Any], path: str) -> None:
    for number in range(6):
        site.server(name=f"server-{number}", created=NOW - 1000 - number)
    target = tmp_path / "recording.tar.gz"
    site.simulator.fault(**fault, path=path)
    done = record(site.cloud(page_size=2), "openstack", OpenStackSettings, target, Wish(None), NOW, quiet)
    site.simulator.stop()
    with Replay(tmp_path / "replay", target) as replay:
        cloud = OpenStack("replayed", replay.settings())
        cloud._connection.client._adapter.bounds = Bounds(timeout=10, deadline=20, backoff=0.01)
        got = read(cloud, Window(True, replay.since), None, quiet)
        cloud.close()
        assert replay.missed() == []
    assert list(map(type, got.errors)) == list(map(type, done.reading.errors))
    assert (got.machines, got.by_status) == (done.reading.machines, done.reading.by_status)
    assert bool(got.errors) == (fault["kind"] != "expire_tokens" and fault.get("count", 0) is None)
    assert [error["type"] for error in replay.manifest["errors"]] == [type(error).__name__ for error in got.errors]


def test_times_that_were_moved_leave_durations_as_they_were(site: Any, tmp_path: Path) -> None:
    populate(site)
    target = tmp_path / "recording.tar.gz"
    wanted = told(site.cloud(), NOW - 32 * DAY)
    make(site.cloud(), target, Wish(NOW - 32 * DAY, shift_time=True))
    got = replayed(OpenStack, target, tmp_path / "replay")
    shifts = {
        (getattr(one, name) or 0) - (getattr(other, name) or 0)
        for one, other in zip(wanted[1], got[1])
        for name in ("start", "end", "changed")
        if getattr(one, name) is not None
    }
    assert len(shifts) == 1 and shifts.pop() >= 7 * DAY
    assert [m.status for m in got[1]] == [m.status for m in wanted[1]]


def test_actions_and_names_by_file_and_by_property_are_replayed_too(site: Any, tmp_path: Path) -> None:
    populate(site)
    voms = tmp_path / "voms.json"
    voms.write_text(json.dumps({"/file.example.org/Role=NULL": {"projects": ["private"]}}))
    site.simulator.change_user("joe", **{"department of": "/DC=org/CN=Joe Bloggs"})
    settings = {
        "wall": "active",
        "voms_json": voms,
        "identity_order": ("attribute", "name"),
        "identity_attribute": "department of",
        "image_property": "vmcatcher_event_ad_mpuri",
        "flavor_benchmark_value": "house:points",
    }
    site.simulator.create_flavor(
        "timed", 3, 1024, 1, extra_specs={"accounting:benchmark_type": "Si2k", "house:points": "7.5"}
    )
    site.server(flavor="timed", name="measured")
    target = tmp_path / "recording.tar.gz"
    wanted = told(site.cloud(**settings), None)
    make(site.cloud(**settings), target, Wish(None))
    got = replayed(OpenStack, target, tmp_path / "replay")
    assert list(map(known, got[1])) == list(map(known, wanted[1]))
    assert {m.benchmark for m in got[1]} == {None, 7.5}
    assert any(m.running for m in got[1]) and len({m.vo for m in got[1]}) == 3
    joes = {m.global_user for m in got[1] if m.cloud_status == "PAUSED"}
    assert len(joes) == 1 and str(joes.pop()).startswith("/DC=")


def test_every_answer_is_anonymised_and_none_is_missing(site: Any, tmp_path: Path) -> None:
    populate(site)
    target = tmp_path / "recording.tar.gz"
    site.simulator.reset_calls()
    make(site.cloud(page_size=3), target, Wish(None))
    asked = sum(site.simulator.calls().values())
    text, count = "", 0
    for exchange, body in exchanges(target):
        count += 1
        text += json.dumps(exchange.as_json(), ensure_ascii=False) + body.read().decode("utf-8", "surrogateescape")
    assert count == asked > 10
    for own in ("jane", "doe", "example.org", "127.0.0.1", str(site.jane), "131.154", "admin-agent", site.ops, "plain"):
        assert own not in text.lower(), own
