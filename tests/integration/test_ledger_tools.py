"""Republish, audit and release as a person types them, and as monitoring does."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
from pathlib import Path
from typing import Iterator, List

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, failed, loaded, pass_time, truth

MONTHS = ("--from", "2025-12", "--to", "2026-03")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Box(tmp_path_factory.mktemp("box"), broker=False, cloud_settings="page_size: 2") as box:
        begin(box)
        box.agent("accounting", "run")
        yield box


def spool(box: Box) -> List[Path]:
    return sorted(path for path in (box.directory / "outgoing").glob("*/*") if path.is_file())


def change(box: Box, statement: str) -> None:
    with sqlite3.connect(box.state / "agent.db") as connection:
        assert connection.execute(statement).rowcount > 0


def test_republish_says_what_it_comes_to_and_does_it_when_told(box: Box) -> None:
    before = spool(box)
    count = len(truth(box))
    nobody = box.agent("accounting", "republish", *MONTHS, check=False)
    failed(nobody, 2, f"central: {count} records of 6 machines, 2026-01 to 2026-03, leave again", "say --yes")
    done = json.loads(box.agent("accounting", "republish", *MONTHS, "--yes", "--json").stdout)
    assert done["plan"][0]["records"] == done["destinations"]["central"]["republished"] == count
    assert len(spool(box)) == len(before) + 3, "a message for each month"
    assert_truth(box)


def test_a_person_is_asked(box: Box) -> None:
    before = spool(box)
    master, slave = pty.openpty()
    try:
        os.write(master, b"n\n")
        done = subprocess.run(
            [*box.agent_command(), "accounting", "republish", "--from", "2026-01", "--to", "2026-01"],
            env=box.agent_environment(),
            stdin=slave,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 0 and "Send them? [y/N]" in done.stderr and "nothing was changed" in done.stderr
    assert spool(box) == before


def test_a_dry_run_of_one_month_writes_its_records_alone(box: Box, tmp_path: Path) -> None:
    file = tmp_path / "again"
    before = spool(box)
    words = ("--from", "2026-02", "--to", "2026-02", "--dry-run", str(file))
    told = box.agent("accounting", "republish", *words).stderr
    months = [key for key in truth(box) if key[1] == 2026 * 12 + 1]
    assert f"dry run: {len(months)} records in {file}, none sent" in told
    text = file.read_text("ascii")
    assert text.count("%%") == len(months) and text.count("RecordCreateTime: 1772323199\n") == len(months)
    assert spool(box) == before
    failed(box.agent("accounting", "republish", *words, check=False), 73, "does not exist yet")


def test_what_cannot_be_republished(box: Box) -> None:
    wrong = box.agent("accounting", "republish", "--from", "2026-02", "--to", "2026-01", check=False)
    failed(wrong, 2, "--from 2026-02 is later than --to 2026-01")
    none = box.agent("accounting", "republish", "--from", "2020-02", "--to", "2020-03", check=False)
    failed(none, 2, "there is no record from 2020-02 to 2020-03")
    vo = box.agent("accounting", "republish", *MONTHS, "--vo", "no.example.org", check=False)
    failed(vo, 2, "that fits")
    box.configure(stomp="send: false")
    off = box.agent("accounting", "republish", *MONTHS, "--yes", check=False)
    failed(off, 78, "nothing is sent to the destination 'central'")
    box.configure(stomp="")


def test_an_audit_is_quiet_when_all_is_well_and_changes_nothing(box: Box) -> None:
    box.agent("accounting", "run")
    before = list(sqlite3.connect(box.state / "agent.db").iterdump())
    told = json.loads(box.agent("accounting", "audit", "--json").stdout)
    assert told["well"] and told["machines"] == 6 and told["records"] == len(truth(box)) and told["findings"] == []
    assert "6 machines and" in box.agent("accounting", "audit").stdout
    assert list(sqlite3.connect(box.state / "agent.db").iterdump()) == before


def test_an_audit_says_in_a_line_each_what_somebody_should_look_at(box: Box) -> None:
    box.agent("accounting", "run")
    pass_time(box, 60)
    change(box, "UPDATE record SET wall = wall - 100 WHERE vm = 1")
    change(box, "UPDATE vm SET uuid = 'gone' WHERE id = 2")
    done = box.agent("accounting", "audit", "--cloud", "main", "--destination", "central", check=False)
    change(box, "UPDATE record SET wall = wall + 100 WHERE vm = 1")
    uuid = next(uuid for uuid in box.cloud.truth() if uuid in done.stdout.split("missing (1)")[1].splitlines()[0])
    change(box, f"UPDATE vm SET uuid = '{uuid}' WHERE id = 2")
    assert done.returncode == 75 and done.stderr == ""
    kinds = [line.split(" ", 1)[0] for line in done.stdout.splitlines()]
    assert kinds == ["missing", "vanished", "drift", "6"]
    assert "--accept-vanished" in done.stdout and done.stdout.endswith("somebody should look\n")
    assert box.agent("accounting", "audit").returncode == 0


def test_a_cloud_that_breaks_off_is_told_from_one_that_cannot_be_asked(box: Box) -> None:
    box.cloud.fault(kind="html", status=200, path="/compute/v2.1/servers/detail", count=None, after=1)
    cut = box.agent("accounting", "audit", check=False)
    box.cloud.clear_faults()
    assert cut.returncode == 75 and cut.stdout.startswith("unread (1): the cloud could not be listed to its end")
    box.cloud.fault(kind="status", status=401, path="/v3/auth/tokens", count=None)
    refused = box.agent("accounting", "audit", check=False)
    box.cloud.clear_faults()
    failed(refused, 77)


def test_release_of_what_is_mended(box: Box) -> None:
    box.agent("accounting", "run")
    nothing = box.agent("accounting", "release", check=False)
    failed(nothing, 2, "say --vm VMUUID, --message ID or --all")
    failed(box.agent("accounting", "release", "--vm", "x", check=False), 2, "nothing is set aside of x")
    change(box, "UPDATE record SET rejected = 'ImageId is too long', pending = 0 WHERE vm = 6")
    pass_time(box, DAY)
    box.agent("accounting", "run")
    (uuid,) = {
        one["uuid"] for one in json.loads(box.agent("accounting", "show", "--rejected", "--json").stdout)["records"]
    }
    done = json.loads(box.agent("accounting", "release", "--vm", uuid, "--json").stdout)
    assert done["released"] >= 1 and done["kept"] == [] and done["destinations"]["central"]["records"] >= 1
    assert_truth(box)
    with loaded(box) as repository:
        assert repository.records()


def test_months_that_were_let_go_are_refused_by_name(box: Box) -> None:
    settings = "first_run: backfill\nkeep_machines: 62d"
    box.configure(settings=settings)
    before = box.agent("accounting", "show").stdout
    pass_time(box, 70 * DAY)
    told = box.agent("accounting", "run").stderr
    assert "1 machine of long ago let go" in told
    assert before.splitlines()[1].split()[:5] == box.agent("accounting", "show").stdout.splitlines()[1].split()[:5]
    refused = box.agent("accounting", "republish", *MONTHS, "--yes", check=False)
    failed(
        refused, 2, "only their sums are left: 2026-01 to 2026-01 of cloud main, VO vo.example.org", "--from 2026-02"
    )
    assert box.agent("accounting", "republish", "--from", "2026-02", "--to", "2026-02", "--yes").returncode == 0
    assert box.agent("accounting", "audit").returncode == 0
    assert_truth(box)
