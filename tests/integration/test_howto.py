"""What the how-tos promise, done as they say, with the agent's own commands on a simulated cloud."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path
from typing import Dict, Iterator, List, Optional
from zoneinfo import ZoneInfo

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import PROJECT, SITE, VO, Box
from tests.federation.central.loader import parse
from tests.federation.former import Caso, Goat, Oneacct
from tests.federation.odd_broker import Frame, OddBroker, error, orderly

NOW = 1768813200  # 2026-01-19 09:00
START = NOW - 40 * DAY  # in December


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path / "box", broker=False, settings="resend: 4h") as box:
        box.set_clock(NOW)
        for name in ("one", "two"):
            box.create_server(name=name, created=START)
        yield box


def spool(box: Box) -> List[Path]:
    return sorted(path for path in (box.directory / "outgoing").glob("*/*") if path.is_file())


def records(text: str) -> int:
    return text.count("\n%%\n")


def test_before_the_choice_everything_but_sending_works(box: Box) -> None:
    read = box.agent("accounting", "extract")
    assert "2 new machines" in read.stderr and "accounting.first_run is not set" in read.stderr
    refused = box.agent("accounting", "run", check=False)
    assert refused.returncode == 78 and "{baseline: DATE}" in refused.stderr
    assert spool(box) == []


def test_a_dry_run_shows_what_would_leave_and_changes_nothing(box: Box, tmp_path: Path) -> None:
    box.agent("accounting", "extract")
    box.configure(settings="first_run: backfill")
    file = tmp_path / "would-leave"
    done = box.agent("accounting", "run", "--dry-run", str(file))
    assert f"dry run: 1 message with 4 records in {file}, none sent" in done.stderr
    assert records(file.read_text()) == 4 and spool(box) == []
    assert "2025-12" not in box.agent("accounting", "show").stdout
    again = box.agent("accounting", "run", "--dry-run", str(file), check=False)
    assert again.returncode == 73 and "name a file that does not exist yet" in again.stderr

    box.agent("accounting", "run")
    (sent,) = spool(box)
    assert sent.read_text() == file.read_text()


def test_baseline_takes_away_what_was_used_before_its_date(box: Box, tmp_path: Path) -> None:
    box.configure(settings="first_run: {baseline: 2026-01-01}")
    file = tmp_path / "would-leave"
    box.agent("accounting", "run", "--dry-run", str(file))
    since = 18 * DAY + 9 * 3600
    assert records(file.read_text()) == 2 and file.read_text().count(f"WallDuration: {since}\n") == 2


def test_a_backup_put_in_place_and_marked_is_followed_by_everything_anew(box: Box, tmp_path: Path) -> None:
    box.configure(settings="first_run: backfill")
    box.agent("accounting", "run")
    assert len(spool(box)) == 1
    backup, ledger = tmp_path / "backup.db", box.state / "agent.db"
    shutil.copy(box.state / "agent.copy.db", backup)
    for part in box.state.glob("agent.db*"):
        part.unlink()
    shutil.copy(backup, ledger)
    sqlite3.connect(ledger).execute("PRAGMA user_version = 1")

    box.set_clock(NOW + DAY)
    box.agent("accounting", "run")
    assert len(spool(box)) == 2 and "2025-12" in box.agent("accounting", "show").stdout
    assert {records(path.read_text()) for path in spool(box)} == {4}


def test_an_export_holds_the_newest_records(box: Box, tmp_path: Path) -> None:
    box.configure(settings="first_run: backfill")
    box.agent("accounting", "run")
    target = tmp_path / "exported"
    target.mkdir()
    words = ("accounting", "export", "--destination", "central", "--to-directory", str(target), "--from", "2026-01")
    assert "1 messages written" in box.agent(*words).stdout
    (file,) = (path for path in target.iterdir() if path.is_file())
    assert records(file.read_text()) == 2


def fields(text: str) -> Dict[str, Dict[str, object]]:
    """Return the records of messages that follow each other, by VMUUID as the repository compares it."""
    bodies = [f"APEL-cloud-message{part}" for part in text.split("APEL-cloud-message")[1:]]
    return {str(record["VMUUID"]).lower(): record for body in bodies for record in parse(body)}


def assert_the_same_machines(ours: str, theirs: str, seconds: int, *keys: str) -> None:
    """Check what a how-to has people compare: names as before, wall time grown by the time between."""
    mine, former = fields(ours), fields(theirs)
    assert mine.keys() == former.keys() != set()
    for uuid, record in mine.items():
        assert {key: record[key] for key in keys} == {key: former[uuid][key] for key in keys}
        assert int(str(record["WallDuration"])) - int(str(former[uuid]["WallDuration"])) == seconds


def look_before_you_leap(box: Box, tmp_path: Path, settings: str) -> str:
    """Do as the how-tos of moving say until nothing has left yet; return what would leave."""
    box.agent("accounting", "extract")
    refused = box.agent("accounting", "run", check=False)
    assert refused.returncode == 78 and "accounting.first_run is set" in refused.stderr
    box.configure(settings=settings, stomp="send: false")
    file = tmp_path / "would-leave"
    box.agent("accounting", "run", "--dry-run", str(file))
    box.agent("accounting", "run")
    assert spool(box) == []
    return file.read_text()


def test_move_from_caso(box: Box, tmp_path: Path) -> None:
    caso = Caso(box.cloud, PROJECT, VO, SITE, "cloud.example.org")
    (last,) = caso.run(NOW)
    caso.close()
    box.set_clock(NOW + 900)
    text = look_before_you_leap(box, tmp_path, "first_run: continue")
    keys = ("SiteName", "CloudComputeService", "FQAN", "GlobalUserName", "StartTime", "CpuCount")
    assert_the_same_machines(text, last, 900, *keys)
    box.configure(stomp="")
    box.agent("accounting", "run")
    (sent,) = spool(box)
    assert sent.read_text() == text
    shown = box.agent("accounting", "show").stdout
    assert "2026-01" in shown and "2025-12" not in shown


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Box]:
    rules = "cpu_duration: wall\nfqan_style: voms"
    with Box(tmp_path / "box", broker=False, openstack=False, opennebula="6.10", settings=rules) as one:
        one.set_clock(NOW)
        for name in ("one", "two"):
            one.create_vm(name=name, created=START, vcpu=2)
        yield one


def test_move_from_oneacct_export(one: Box, tmp_path: Path) -> None:
    endpoint = "https://occi.example.org:11443/"
    one.configure(oned_settings=f"uuid_style: oneacct\nuuid_endpoint: {endpoint}\nuuid_zone: Europe/Prague")
    (last,) = Oneacct(one.oned, endpoint, ZoneInfo("Europe/Prague"), SITE, "one.example.org").run(NOW)
    one.set_clock(NOW + 900)
    text = look_before_you_leap(one, tmp_path, "first_run: continue\ncpu_duration: wall\nfqan_style: voms")
    keys = ("SiteName", "CloudComputeService", "FQAN", "GlobalUserName", "StartTime", "CpuCount", "Status")
    assert_the_same_machines(text, last, 900, *keys)
    for record in fields(text).values():
        assert record["CpuDuration"] == record["WallDuration"]
    one.configure(stomp="")
    one.agent("accounting", "run")
    (sent,) = spool(one)
    assert sent.read_text() == text
    one.configure(oned_settings="uuid_style: agent")
    renamed = one.agent("accounting", "run", check=False)
    assert renamed.returncode == 78 and "counted twice" in renamed.stderr


def test_move_from_goat(one: Box, tmp_path: Path) -> None:
    """The date lies ahead when the agent is set up."""
    date = 1769904000  # 2026-02-01
    rules = "first_run: {baseline: 2026-02-01}\ncpu_duration: wall\nfqan_style: voms"
    assert records(look_before_you_leap(one, tmp_path, rules)) == 0
    one.configure(stomp="")
    one.agent("accounting", "run")
    assert spool(one) == []
    one.set_clock(date)
    (last,) = Goat(one.oned, SITE, "one.example.org").run(date)
    one.set_clock(date + 900)
    one.agent("accounting", "run")
    (sent,) = spool(one)
    walls = {record["WallDuration"] for record in fields(sent.read_text()).values()}
    assert walls == {900} and len(fields(sent.read_text())) == len(fields(last)) == 2


def through(box: Box, broker: OddBroker) -> None:
    """Let the destination be a broker that speaks without TLS."""
    box.configure()
    path = box.etc / "agent.yaml"
    text, _, _ = path.read_text().partition("    central:\n")
    lines = (
        "type: stomp",
        f'brokers: ["{broker.url}"]',
        f"certificate: {box.host.certificate}",
        f"key: {box.host.key}",
    )
    path.write_text(text + "    central:\n" + "".join(f"      {line}\n" for line in lines))


def test_a_message_that_was_refused_for_good(box: Box) -> None:
    """From the failure over what is named to its release, as an administrator goes."""
    bad = [True]

    def choosy(frame: Frame) -> Optional[bytes]:
        return error("it does not like it", frame.receipt) if frame.command == "SEND" and bad[0] else orderly(frame)

    box.configure(settings="first_run: backfill")
    with OddBroker(choosy) as broker:
        through(box, broker)
        failed = box.agent("accounting", "run", check=False)
        assert failed.returncode == 77 and "a message was refused and set aside" in failed.stderr
        (command,) = re.findall(r"'fedcloud-agent (accounting release --message \S+)'", failed.stderr)
        shown = box.agent("accounting", "show", "--rejected").stdout
        assert shown.count("was refused: it does not like it") == 5
        assert "(4 of its 4 records are set aside)" in shown and "'fedcloud-agent accounting release'" in shown
        assert shown.splitlines()[1].split()[0] == "central"

        still = box.agent(*command.split(), check=False)
        assert still.returncode == 77 and "4 records wait again" in still.stderr
        (command,) = re.findall(r"'fedcloud-agent (accounting release --message \S+)'", still.stderr)

        bad[0] = False
        box.set_clock(NOW + DAY)
        box.agent("accounting", "run")  # what lives is reported anew, the months that are over are not
        assert "(2 of its 4 records are set aside)" in box.agent("accounting", "show", "--rejected").stdout
        done = box.agent(*command.split())
        assert "2 records wait again, 0 stay set aside" in done.stderr
        assert f"message {command.split()[-1]} is forgotten" in done.stderr
        assert len(box.agent("accounting", "show", "--rejected").stdout.splitlines()) == 1, "its heading"
        assert [line.split()[-1] for line in box.agent("accounting", "show").stdout.splitlines()[1:]] == ["0", "0"]
    again = box.agent("accounting", "release", "--message", command.split()[-1], check=False)
    assert again.returncode == 2 and "nothing is set aside of" in again.stderr
