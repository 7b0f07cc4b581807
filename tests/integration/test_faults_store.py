"""The agent's own memory in trouble: held by another run, shared by two hosts, damaged in a row or as a whole."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, failed, pass_time, recovers


@pytest.fixture()
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path, broker=False) as running:
        begin(running)
        running.agent("accounting", "run")
        assert_truth(running)
        yield running


@contextlib.contextmanager
def changed(box: Box) -> Iterator[sqlite3.Connection]:
    """Yield a connection by which somebody else writes into the agent's database."""
    connection = sqlite3.connect(box.state / "agent.db")
    with contextlib.closing(connection), connection:
        yield connection


def start(box: Box, *words: str, config: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*box.agent_command()[:-1], str(config), *words],
        env=box.agent_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_runs_at_once(box: Box) -> None:
    pass_time(box)
    box.cloud.fault("slow", path="servers/detail", seconds=1)
    first = start(box, "accounting", "run", config=box.etc)
    with first:
        await_lock(box, first)
        first.send_signal(signal.SIGSTOP)
        second = box.agent("accounting", "run", "--cloud", "main", check=False)
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said
    failed(
        second,
        75,
        f"a run of accounting of main is being done by process {first.pid}",
        "accounting run",
        "wait until it has finished",
    )
    assert_truth(box)


def await_lock(box: Box, holder: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while str(holder.pid) not in (box.state / "locks" / "accounting.main.lock").read_text():
        assert time.monotonic() < deadline
        assert holder.poll() is None
        time.sleep(0.02)


def test_a_database_that_somebody_holds(box: Box) -> None:
    pass_time(box)
    with (box.etc / "agent.yaml").open("a") as file:
        file.write("store: {busy_timeout: 1s}\n")
    with changed(box) as connection:
        connection.execute("BEGIN IMMEDIATE")
        failed(box.agent("accounting", "run", check=False), 75, "is held by another process", "try again")
        connection.rollback()
    recovers(box)


def test_a_damaged_database_is_replaced_by_its_copy_and_everything_sent_anew(box: Box) -> None:
    copy = box.state / "agent.copy.db"
    assert copy.exists()
    pass_time(box, DAY)
    box.agent("accounting", "run")
    database = box.state / "agent.db"
    content = bytearray(database.read_bytes())
    content[:8192] = b"\xff" * 8192
    database.write_bytes(bytes(content))
    (box.state / "agent.db-wal").unlink(missing_ok=True)
    before = messages(box)
    recovers(box)
    assert len(list(box.state.glob("agent.damaged-*.db"))) == 1
    assert messages(box) > before


def messages(box: Box) -> List[str]:
    return sorted(str(path) for path in (box.directory / "outgoing").glob("*/*"))


def test_damage_that_shows_in_the_middle_of_a_run(box: Box) -> None:
    pass_time(box)
    with changed(box) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'record'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    database = box.state / "agent.db"
    content = bytearray(database.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    database.write_bytes(bytes(content))
    failed(box.agent("accounting", "run", check=False), 74, f"{database} is damaged", "puts the last copy in its place")
    recovers(box)


def test_a_damaged_database_without_a_copy_is_not_guessed_at(box: Box) -> None:
    (box.state / "agent.copy.db").unlink()
    whole = (box.state / "agent.db").read_bytes()
    (box.state / "agent.db").write_bytes(b"no database at all" * 1000)
    (box.state / "agent.db-wal").unlink(missing_ok=True)
    failed(box.agent("accounting", "run", check=False), 74, "is damaged and there is no copy of it yet", "first_run")
    (box.state / "agent.db").write_bytes(whole)
    recovers(box)


@pytest.mark.parametrize("damage", [b"", b"APEL-cloud-message: v0.4\nVMUUID: caf\xc3\xa9\n"])
def test_a_damaged_message_in_the_queue_never_leaves_and_its_records_do(box: Box, damage: bytes) -> None:
    pass_time(box)
    box.agent("accounting", "extract")
    out = box.directory / "outgoing"
    out.rename(box.directory / "elsewhere")
    failed(box.agent("accounting", "send", check=False), 73, "is not there")
    with changed(box) as connection:
        (identity,) = connection.execute("SELECT id FROM message").fetchone()
        connection.execute("UPDATE message SET body = ?", (damage,))
    (box.directory / "elsewhere").rename(out)
    sent = box.agent("accounting", "send")
    assert f"message {identity} was damaged in the queue" in sent.stderr
    assert not out.joinpath(*identity.split("/")).exists()
    recovers(box)


def test_two_hosts_on_one_database_double_nothing(box: Box) -> None:
    """Each host has its own state directory, so no lock keeps them apart: the database has to."""
    plain = (box.etc / "agent.yaml").read_text()
    etc = []
    for name in ("one", "two"):
        directory = box.directory / name
        directory.mkdir()
        text = plain.replace(str(box.state), str(directory / "state"))
        (directory / "agent.yaml").write_text(f"{text}store: {{url: 'sqlite:///{box.directory}/shared.db'}}\n")
        etc.append(directory)
    for path in (box.directory / "outgoing").glob("*"):
        path.rename(box.directory / f"sent-before-{path.name}")
    for _ in range(3):
        runs = [start(box, "accounting", "run", config=directory) for directory in etc]
        for run in runs:
            _, said = run.communicate(timeout=120)
            assert run.returncode in (0, 75), said
        pass_time(box)
    done = box.agent("--config", str(etc[0]), "accounting", "run")
    assert done.returncode == 0
    assert_truth(box)
