"""An OpenNebula is recorded and replayed, of several releases, with odd names, rights by a rule, and a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent.clouds.contract import VirtualMachine, Window
from fedcloud_agent.recording.archive import exchanges, manifest_of
from fedcloud_agent.recording.checking import check
from fedcloud_agent.recording.making import Wish, harmless_of, record
from fedcloud_agent.recording.reading import read
from fedcloud_plugins.opennebula.plugin import OpenNebula
from fedcloud_plugins.opennebula.settings import OpenNebulaSettings
from tests.federation.replay import Replay
from tests.integration.opennebula.conftest import NOW, number_of, profile, site
from tests.integration.recording.told import quiet, replayed, told

__all__ = ["profile", "site"]

HOUR, DAY = 3600, 86400


def known(machine: VirtualMachine) -> Any:
    """Return what a pseudonym does not touch: ids of OpenNebula stay."""
    names = ("uuid", "name", "global_user", "vo", "image", "trace")
    rest = {name: value for name, value in machine._asdict().items() if name not in names}
    return number_of(machine.uuid), len(machine.name), machine.global_user is None, rest


def populate(site: Any) -> None:
    for name in ("plain", "caf\u00e9 at home", "x" * 100):
        site.vm(
            name=name,
            user_template={"OWNER": "jane.doe@example.org"},
            nics=[{"IP": "131.154.96.7"}, {"IP": "10.0.0.4"}],
        )
    later = () if site.oned.profile == "3.2" else ("poweroff",)
    for act in ("suspend", "stop", "terminate", "live_migrate", *later):
        vm = site.vm("joe", created=NOW - 3 * DAY)
        site.oned.act(vm, act, at=NOW - 2 * DAY, **({"host": 1} if act == "live_migrate" else {}))
        if act in ("suspend", "stop"):
            site.oned.act(vm, "resume", at=NOW - DAY)
    site.vm(deploy=False)


@pytest.mark.parametrize("profile", ["3.2", "5.4", "6.10"])
def test_a_replay_brings_the_same_machines_and_nothing_of_the_site(site: Any, tmp_path: Path) -> None:
    populate(site)
    since = NOW - 32 * DAY
    wanted = told(site.cloud(), since)
    target = tmp_path / "recording.tar.gz"
    cloud = site.cloud()
    done = record(cloud, "opennebula", OpenNebulaSettings, target, Wish(since), NOW, quiet)
    assert done.reading.errors == [] and done.reading.machines == wanted[0].machines >= 8
    words = ("jane", "doe", "bio.example.org", "127.0.0.1", "opennebula:", "caf\u00e9", "131.154", "plain")
    assert check(target, manifest_of(target), harmless_of(cloud), OpenNebulaSettings, words) == []
    text = "".join(exchange.body + body.read().decode("utf-8", "replace") for exchange, body in exchanges(target))
    assert not [word for word in words if word in text.lower()]
    site.oned.stop()
    got = replayed(OpenNebula, target, tmp_path / "replay")
    assert got[0] == wanted[0]
    assert list(map(known, got[1])) == list(map(known, wanted[1]))


def test_an_account_that_sees_by_a_rule_and_a_fault_are_replayed(site: Any, tmp_path: Path) -> None:
    populate(site)
    site.oned.create_rule(f"#{site.accounting} VM+HOST+CLUSTER+IMAGE+TEMPLATE+USER+GROUP/* USE *")
    target = tmp_path / "recording.tar.gz"
    cloud = site.cloud(username="accounting", password="pw")
    done = record(cloud, "opennebula", OpenNebulaSettings, target, Wish(None), NOW, quiet)
    assert done.reading.machines == 9
    refused = tmp_path / "refused.tar.gz"
    wrong = site.cloud(username="accounting", password="wrong")
    lost = record(wrong, "opennebula", OpenNebulaSettings, refused, Wish(None), NOW, quiet)
    site.oned.stop()
    for recording, reading in ((target, done.reading), (refused, lost.reading)):
        with Replay(tmp_path / recording.stem, recording) as replay:
            again = OpenNebula("replayed", replay.settings())
            got = read(again, Window(True, None), None, quiet)
            again.close()
        assert list(map(type, got.errors)) == list(map(type, reading.errors))
        assert got.by_status == reading.by_status
    assert lost.reading.errors and not done.reading.errors
