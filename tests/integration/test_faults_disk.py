"""A disk that is full, a state directory that is not ours: said in words, nothing half-written, exact afterwards."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Iterator, List

import pytest

from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, failed, outgoing, pass_time, recovers

AS_OTHERS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"] if os.geteuid() == 0 else []
"""In front of a command: root without the right to pass over the rights of files, so with those of any user."""


@pytest.fixture()
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path, broker=False) as running:
        begin(running)
        yield running


@pytest.fixture()
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for the state directory."""
    state = tmp_path / "state"
    state.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0750", "tmpfs", str(state)], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("only root in a machine of its own may mount a file system")
    yield state
    subprocess.run(["umount", str(state)], check=True, timeout=30)


def fill(directory: Path, leave: int) -> Path:
    """Fill a file system but for ``leave`` bytes, and return the file to remove."""
    ballast = directory / "ballast"
    free = os.statvfs(directory)
    ballast.write_bytes(b"\0" * max(0, free.f_bavail * free.f_frsize - leave))
    return ballast


def test_a_full_disk_below_the_state(small_disk: Path, box: Box) -> None:
    box.agent("accounting", "run")
    assert_truth(box)
    for leave in (0, 40_000):
        # more machines than the room that is left can describe
        box.cloud.create_servers(
            [{"project": "vo-example", "user": "/DC=org/DC=example/CN=Jane Doe", "flavor": "small", "count": 150}]
        )
        pass_time(box)
        ballast = fill(small_disk, leave)
        done = box.agent("accounting", "run", check=False)
        failed(done, 74, str(box.state), "No space left on device" if leave == 0 else "no room left for", "space")
        ballast.unlink()
        recovers(box)


def test_a_file_that_may_not_grow(box: Box) -> None:
    box.agent("accounting", "run")
    box.cloud.create_servers(
        [{"project": "vo-example", "user": "/DC=org/DC=example/CN=Jane Doe", "flavor": "small", "count": 150}]
    )
    pass_time(box)
    failed(
        box.agent("accounting", "run", check=False, before=["prlimit", "--fsize=65536"]),
        74,
        str(box.state / "agent.db"),
    )
    recovers(box)


def test_a_state_directory_that_we_may_not_write(box: Box) -> None:
    box.agent("accounting", "run")
    pass_time(box)
    paths: List[Path] = [box.state, box.state / "locks", box.state / "outcomes"]
    modes = [path.stat().st_mode & 0o777 for path in paths]
    for path in paths:
        path.chmod(0o550)
    (box.state / "agent.db").chmod(0o440)
    failed(box.agent("accounting", "run", check=False, before=AS_OTHERS), 73, str(box.state), "owner")
    for path, mode in zip(paths, modes):
        path.chmod(mode)
    (box.state / "agent.db").chmod(0o600)
    recovers(box)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_state_directory_of_another_user(box: Box) -> None:
    box.state.mkdir(mode=0o700)
    os.chown(box.state, 65534, 65534)
    failed(box.agent("accounting", "run", check=False, before=AS_OTHERS), 73, str(box.state), "who owns")
    os.chown(box.state, 0, 0)
    recovers(box)


def test_an_outgoing_directory_that_is_missing_or_closed(box: Box) -> None:
    directory = outgoing(box)
    directory.rmdir()
    failed(box.agent("accounting", "run", check=False), 73, f"the directory {directory} is not there", "path_type")
    directory.mkdir(mode=0o500)
    failed(box.agent("accounting", "send", check=False, before=AS_OTHERS), 77, str(directory), "let the user fedcloud")
    directory.chmod(0o700)
    recovers(box)


def test_what_lies_damaged_in_the_outgoing_directory_is_left_to_its_reader(box: Box) -> None:
    """Another program reads there: what we did not write we neither judge nor touch, and ours comes whole beside it."""
    foreign = outgoing(box) / "5ba24c88"
    foreign.mkdir()
    half = foreign / "5ba24c8f0f129d.tmp"
    half.write_bytes(b"APEL-cloud-mess")
    garbage = outgoing(box) / "garbage"
    garbage.write_bytes(b"\xff\x00" * 100)
    box.agent("accounting", "run")
    assert half.read_bytes() == b"APEL-cloud-mess"
    assert garbage.read_bytes() == b"\xff\x00" * 100
    half.unlink()
    recovers(box)
