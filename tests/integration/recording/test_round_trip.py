"""A cloud is recorded and replayed: the plugin reads the same machines, and nothing of the site is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

from fedcloud_agent.clouds.contract import VirtualMachine, Window
from fedcloud_agent.recording.making import Wish, record
from fedcloud_agent.recording.reading import Reading, read
from fedcloud_plugins.openstack.plugin import OpenStack
from fedcloud_plugins.openstack.settings import OpenStackSettings
from tests.federation.replay import Replay

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


def taken(cloud: Any, since: Optional[int], limit: Optional[int] = None) -> Tuple[Reading, List[VirtualMachine]]:
    machines: List[VirtualMachine] = []
    return read(cloud, Window(True, since), limit, lambda done, total: None, machines.append), machines


def known(machine: VirtualMachine) -> Any:
    """Return what a pseudonym does not touch."""
    names = ("uuid", "name", "user", "group", "global_user", "vo", "image")
    rest = {name: value for name, value in machine._asdict().items() if name not in names}
    return rest, len(machine.name), [len(machine.name.encode()), machine.global_user is None]


def make(cloud: Any, target: Path, wish: Wish) -> None:
    done = record(cloud, "openstack", OpenStackSettings, target, wish, NOW, lambda done, total: None)
    assert not done.reading.errors, done.reading.errors


@pytest.mark.parametrize("username", ["admin-agent", "reader"])
@pytest.mark.parametrize("highest", [93, 40])
def test_a_replay_brings_the_same_machines(site: Any, tmp_path: Path, username: str, highest: int) -> None:
    populate(site)
    site.simulator.highest_microversion(highest)
    target = tmp_path / "recording.tar.gz"
    wanted = taken(site.cloud(username, page_size=5), NOW - 32 * DAY)
    make(site.cloud(username, page_size=5), target, Wish(NOW - 32 * DAY))
    site.simulator.stop()
    with Replay(tmp_path / "replay", target) as replay:
        cloud = OpenStack("replayed", replay.settings())
        got = taken(cloud, replay.since)
        cloud.close()
        assert replay.missed() == []
    assert got[0] == wanted[0]
    assert list(map(known, got[1])) == list(map(known, wanted[1]))
    same: Dict[str, str] = {}
    for one, other in zip(wanted[1], got[1]):
        for name in ("uuid", "user", "group", "vo"):
            assert same.setdefault(getattr(one, name), getattr(other, name)) == getattr(other, name)
    assert len(set(same.values())) == len(same)
