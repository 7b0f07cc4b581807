from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fedcloud_agent.errors import CannotCreateError
from fedcloud_agent.locks import LockedError, held

HOLD = """
import sys, time
from pathlib import Path
from fedcloud_agent.locks import held
with held(Path(sys.argv[1]), "a run of accounting"):
    print("held", flush=True)
    time.sleep(300)
"""


def holder(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    return process


def test_the_second_is_told_who_is_first_and_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "accounting.lock"
    first = holder(path)
    try:
        with pytest.raises(LockedError) as caught, held(path, "a run of accounting"):
            pass
        assert caught.value.exit_code == 75
        assert f"a run of accounting is being done by process {first.pid} since 20" in caught.value.message
        assert "accounting.lock" in caught.value.message, "the command that the holder was started with"
    finally:
        first.kill()
        first.wait()
        assert first.stdout is not None
        first.stdout.close()
    with held(path, "a run of accounting"):
        assert str(os.getpid()) in path.read_text()


def test_patience(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = holder(path)
    begin = time.monotonic()
    with pytest.raises(LockedError), held(path, "it", patience=0.3):
        pass
    assert 0.3 <= time.monotonic() - begin < 3
    first.send_signal(signal.SIGKILL)
    with held(path, "it", patience=10):
        pass
    first.wait()
    assert first.stdout is not None
    first.stdout.close()


def test_a_lock_is_free_after_an_error_and_not_inherited(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), held(path, "it"):
        raise ZeroDivisionError
    with held(path, "it"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], close_fds=False)
    try:
        with held(path, "it"):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_holder_without_a_name_is_still_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path, "it"):
        for content in ("", "{", '{"pid": 1}', "[]"):
            path.write_text(content)
            with pytest.raises(LockedError, match="it is being done by another process"), held(path, "it"):
                pass


def test_no_directory_for_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotCreateError, match="file"), held(tmp_path / "file" / "lock", "it"):
        pass
