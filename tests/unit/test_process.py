from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Iterator, List

import psutil
import pytest

from fedcloud_agent import process
from fedcloud_agent.process import DeadlineError, ProcessError


def python(code: str) -> List[str]:
    return [sys.executable, "-c", code]


def eventually_gone(pid: int) -> bool:
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_input_goes_in_and_both_streams_come_out() -> None:
    code = "import sys; data = sys.stdin.buffer.read(); print(len(data)); print('aside', file=sys.stderr)"
    done = process.run(python(code), deadline=20, input=b"x" * 3_000_000)
    assert (done.exit_code, done.stdout, done.stderr, done.truncated) == (0, b"3000000\n", b"aside\n", False)
    assert done.argv[0] == sys.executable and 0 < done.seconds < 20


def test_input_may_come_in_blocks_as_it_is_made() -> None:
    code = "import sys; data = sys.stdin.buffer.read(); print(len(data), data[:4], data[-4:])"
    blocks = (str(n).encode() * 1000 if n % 7 else b"" for n in range(1, 3000))
    done = process.run(python(code), deadline=20, input=blocks)
    assert done.stdout == b"%d b'1111' b'2999'\n" % sum(len(str(n)) * 1000 for n in range(1, 3000) if n % 7)
    assert process.run(python(code), deadline=20, input=iter(())).stdout == b"0 b'' b''\n"


def test_when_the_input_cannot_be_made_the_program_is_ended(tmp_path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"x" * 10
        raise ValueError("no more")

    began = time.monotonic()
    with pytest.raises(ValueError, match="no more"):
        process.run(python("import time; time.sleep(300)"), deadline=20, input=blocks())
    assert time.monotonic() - began < 9


def test_who_stops_reading_gets_no_more() -> None:
    made = []

    def blocks() -> Iterator[bytes]:
        for number in range(10_000):
            made.append(number)
            yield b"x" * 65536

    done = process.run(python("import sys; sys.stdin.buffer.read(1)"), deadline=20, input=blocks())
    assert done.exit_code == 0 and len(made) < 100


def test_more_output_than_wanted_is_dropped_and_said() -> None:
    code = "import sys; sys.stdout.write('a' * 5_000_000); sys.stderr.write('e' * 10)"
    done = process.run(python(code), deadline=20, limit=1000)
    assert done.stdout == b"a" * 1000 and done.stderr == b"e" * 10 and done.truncated


def test_input_that_is_not_read_is_no_error_of_its_own() -> None:
    assert process.run(python("pass"), deadline=20, input=b"x" * 3_000_000).exit_code == 0


def test_a_failure_names_the_program_its_code_and_its_last_words() -> None:
    with pytest.raises(ProcessError, match=r"python\S* failed with exit code 3: the disk is full") as caught:
        process.run(python("import sys; print('so\\nthe disk is full', file=sys.stderr); sys.exit(3)"), deadline=20)
    assert caught.value.exit_code == 71 and "try it by hand" in (caught.value.hint or "")
    assert process.run(python("raise SystemExit(3)"), deadline=20, check=False).exit_code == 3
    with pytest.raises(ProcessError, match="was ended by SIGKILL"):
        process.run(python("import os; os.kill(os.getpid(), 9)"), deadline=20)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="/nonexistent cannot be run: it is not there"):
        process.run(["/nonexistent"], deadline=1)
    plain = tmp_path / "plain"
    plain.write_text("no program")
    with pytest.raises(ProcessError, match="Permission denied"):
        process.start([str(plain)])


@pytest.mark.parametrize("how", ["hangs", "hangs-quietly", "leaves-the-pipe-open"])
def test_at_the_deadline_nothing_of_it_is_left(tmp_path: Path, how: str) -> None:
    pids = tmp_path / "pids"
    code = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
if {how!r} == "hangs-quietly":
    os.close(1); os.close(2)
if {how!r} != "leaves-the-pipe-open":
    time.sleep(300)
"""
    begin = time.monotonic()
    with pytest.raises(DeadlineError, match="did not finish within 2.5 s and was ended"):
        process.run(python(code), deadline=2.5)
    assert time.monotonic() - begin < 9
    for pid in map(int, pids.read_text().split()):
        assert eventually_gone(pid)


def test_who_ignores_the_request_to_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_PATIENCE", 0.3)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
    begin = time.monotonic()
    with pytest.raises(DeadlineError):
        process.run(python(code), deadline=1.5)
    assert time.monotonic() - begin < 6


def test_what_a_finished_program_left_in_its_group_ends_with_it() -> None:
    code = (
        "import subprocess, sys; devnull = subprocess.DEVNULL\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'],"
        " stdout=devnull, stderr=devnull).pid)"
    )
    assert eventually_gone(int(process.run(python(code), deadline=20).stdout))


def test_children_do_not_hear_what_is_meant_for_us_and_inherit_no_descriptor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "1")
    monkeypatch.setenv("OURS", "kept")
    code = "import os; print([os.environ.get(n) for n in ('NOTIFY_SOCKET', 'WATCHDOG_USEC', 'OURS', 'GIVEN')])\n"
    code += "print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])"
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        done = process.run(python(code), deadline=20, env={"GIVEN": "too"})
    assert done.stdout.decode().splitlines() == ["[None, None, 'kept', 'too']", "[0, 1, 2]"]


def test_a_long_lived_child_may_tell_its_errors_to_a_pipe() -> None:
    read, write = os.pipe()
    child = process.start(python("import sys; print('no'); print('alas', file=sys.stderr)"), stderr=write)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        assert stream.read() == b"alas\n"
    limit = time.monotonic() + 20
    while child.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    assert child.poll() is not None


def test_words_of_a_shell_are_only_words(tmp_path: Path) -> None:
    word = f"$(touch {tmp_path}/made); `id` > {tmp_path}/made"
    done = process.run(python("import sys; print(sys.argv[1])")[:3] + [word], deadline=20)
    assert done.stdout.decode() == word + "\n" and not (tmp_path / "made").exists()


def test_a_long_lived_child_tells_how_it_ended_and_what_it_held() -> None:
    child = process.start(python("b = bytearray(60_000_000); import time; time.sleep(0.2); raise SystemExit(4)"))
    limit = time.monotonic() + 20
    while child.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    ended = child.poll()
    assert ended is not None and ended.exit_code == 4
    assert ended.memory is not None and ended.memory > 60_000_000
    child.signal(signal.SIGKILL)  # it has gone, and its number may be another's: nothing happens
