from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fedcloud_agent.durable import make_directory, write_whole
from fedcloud_agent.errors import CannotCreateError, StorageError


def test_content_and_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "a", b"one", mode=0o644)
    finally:
        os.umask(before)
    write_whole(tmp_path / "b", b"secret", mode=0o600)
    write_whole(tmp_path / "a", b"two", mode=0o640)
    assert (tmp_path / "a").read_bytes() == b"two"
    assert [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in "ab"] == [0o640, 0o600]
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_reader_sees_old_or_new_and_nothing_else_when_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "state"
    code = (
        "import sys, itertools; from pathlib import Path; from fedcloud_agent.durable import write_whole\n"
        "for n in itertools.count():\n"
        "    write_whole(Path(sys.argv[1]), bytes([97 + n % 26]) * 200_000); print(n, flush=True)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    for _ in range(200):
        content = path.read_bytes()
        assert len(content) == 200_000 and len(set(content)) == 1
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    content = path.read_bytes()
    assert len(content) == 200_000 and len(set(content)) == 1
    assert all(name == "state" or name.startswith(".state.") for name in os.listdir(tmp_path))
    write_whole(path, b"next")
    assert os.listdir(tmp_path) == ["state"]


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    dead, living = f".state.{gone.pid}.0123abcd.tmp", f".state.{os.getppid()}.0123abcd.tmp"
    for name in (dead, living, f".other.{gone.pid}.0123abcd.tmp", f".state.{gone.pid}.tmp"):
        (tmp_path / name).touch()
    write_whole(tmp_path / "state", b"new")
    assert sorted(os.listdir(tmp_path)) == sorted(
        [living, f".other.{gone.pid}.0123abcd.tmp", f".state.{gone.pid}.tmp", "state"]
    )


def test_a_full_disk_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_whole(path, b"old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(StorageError, match=f"{path} cannot be written: File too large"):
            write_whole(path, b"n" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["state"]


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(CannotCreateError, match=f"{tmp_path}/none/file cannot be written: No such"):
        write_whole(tmp_path / "none" / "file", b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotCreateError, match=f"{tmp_path}/file cannot be made"):
        make_directory(tmp_path / "file")
