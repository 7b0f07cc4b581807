from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.cli.loops import loaded
from fedcloud_agent.config.loading import load
from fedcloud_agent.daemon.settings import DaemonSettings
from fedcloud_agent.infosys.settings import InfosysSettings
from fedcloud_agent.settings import Sections, Text, When, setting
from fedcloud_agent.users.settings import UsersSettings


@dataclass(frozen=True)
class CloudTable:
    url: str = setting(Text(), help="Where.")


ROOMS = {
    "clouds": Sections(CloudTable, None, "Clouds.", Text()),
    "accounting": AccountingSettings,
    "infosys": InfosysSettings,
    "users": UsersSettings,
    "daemon": DaemonSettings,
}
SNAPSHOT = Path("/state/accepted.json")
DESTINATION = "destinations: {central: {type: directory}}"


def test_each_cloud_has_its_loop_and_a_faulty_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text(
        f"clouds: {{a: {{url: x}}, b: {{link: x}}, c: {{url: x}}}}\naccounting: {{deadline: 2h, {DESTINATION}}}\n"
    )
    configuration = load(tmp_path, ROOMS)
    result = loaded(configuration, SNAPSHOT)
    assert [loop.title for loop in result.loops] == ["accounting of a", "accounting of c", "accounting-send"]
    first, _, send = result.loops
    typed = (sys.executable, "-m", "fedcloud_agent", "--config", str(SNAPSHOT))
    assert first.argv == (*typed, "accounting", "run", "--cloud", "a")
    assert (first.when, first.deadline) == ((When(every=3600), When(crontab="5 0 1 * *")), 7200)
    assert send.argv == (*typed, "accounting", "send") and send.when == (When(every=600),)
    assert result.faults and all("the cloud 'b' is disabled: " in fault for fault in result.faults)
    assert result.snapshot == configuration.snapshot()


def test_the_rooms_own_schedule_is_used(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text(
        f"clouds: {{a: {{url: x}}}}\naccounting: {{schedule: every 4h, {DESTINATION}}}\n"
    )
    result = loaded(load(tmp_path, ROOMS), SNAPSHOT)
    assert result.loops[0].when == (When(every=4 * 3600), When(crontab="5 0 1 * *"))


def test_without_a_destination_there_is_nothing_to_run(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("clouds: {a: {url: x}}\n")
    assert loaded(load(tmp_path, ROOMS), SNAPSHOT).loops == ()


def test_the_information_system_is_published_once_somebody_can_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("clouds: {a: {url: x}, b: {url: x}}\ninfosys: {contact: a@example.org}\n")
    (loop,) = loaded(load(tmp_path, ROOMS), SNAPSHOT).loops
    assert loop.title == "infosys" and loop.argv[-2:] == ("infosys", "publish") and loop.when == (When(every=600),)


def test_with_a_facility_accounts_follow_its_lists(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("clouds: {a: {url: x}}\nusers: {facilities: {f: {}}, schedule: every 2h}\n")
    (loop,) = loaded(load(tmp_path, ROOMS), SNAPSHOT).loops
    assert (loop.title, loop.when, loop.deadline) == ("users of a", (When(every=7200),), 1800)
    assert loop.argv[-4:] == ("users", "apply", "--cloud", "a")
