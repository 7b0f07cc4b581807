from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from fedcloud_agent.cli.loops import loaded
from fedcloud_agent.config.loading import load
from fedcloud_agent.daemon.settings import DaemonSettings
from fedcloud_agent.settings import Schedule, Sections, Text, When, setting


@dataclass(frozen=True)
class CloudTable:
    url: str = setting(Text(), help="Where.")


@dataclass(frozen=True)
class AccountingTable:
    every: When = setting(Schedule(), help="When.", default=When(every=3600))


ROOMS = {
    "clouds": Sections(CloudTable, None, "Clouds.", Text()),
    "daemon": DaemonSettings,
}
SNAPSHOT = Path("/state/accepted.json")


def test_each_cloud_has_its_loop_and_a_faulty_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("clouds: {a: {url: x}, b: {link: x}, c: {url: x}}\ndaemon: {deadline: 2h}\n")
    configuration = load(tmp_path, ROOMS)
    result = loaded(configuration, SNAPSHOT)
    assert [loop.title for loop in result.loops] == ["accounting of a", "accounting of c", "accounting-send"]
    first, _, send = result.loops
    typed = (sys.executable, "-m", "fedcloud_agent", "--config", str(SNAPSHOT))
    assert first.argv == (*typed, "accounting", "run", "--cloud", "a")
    assert (first.when, first.deadline) == ((When(every=3600), When(crontab="5 0 1 * *")), 7200)
    assert send.argv == (*typed, "accounting", "send") and send.when == (When(every=600),)
    assert result.faults and all("the cloud 'b' is disabled: " in fault for fault in result.faults)
    assert result.settings.deadline == 7200 and result.snapshot == configuration.snapshot()


def test_the_rooms_own_schedule_is_used(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("clouds: {a: {url: x}}\naccounting: {every: every 4h}\n")
    result = loaded(load(tmp_path, {**ROOMS, "accounting": AccountingTable}), SNAPSHOT)
    assert result.loops[0].when == (When(every=4 * 3600), When(crontab="5 0 1 * *"))
