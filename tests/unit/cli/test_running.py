from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Optional

import click
import pytest

from fedcloud_agent import locks, outcome
from fedcloud_agent.cli.running import run_of
from fedcloud_agent.errors import UnreachableError


def left(state: Path, cloud: Optional[str] = None) -> outcome.Outcome:
    done = outcome.read(outcome.path_of(state, "accounting", cloud))
    assert done is not None
    return done


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(outcome.RUN, raising=False)


def test_a_run_that_does_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fedcloud_agent"), run_of(tmp_path, "accounting", "main") as run:
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        with (
            pytest.raises(locks.LockedError, match="a run of accounting of main is being done by process"),
            run_of(tmp_path, "accounting", "main"),
        ):
            pass
        run.tell("1 page", pages=1)
        run.tell("7 machines read", machines=7)
    done = left(tmp_path, "main")
    assert done.good and done.sentence == "7 machines read" and done.figures == {"pages": 1, "machines": 7}
    assert done.run == run.run and done.memory is not None and done.memory > 1 << 20
    assert [r.getMessage() for r in caplog.records] == [f"accounting of main: 7 machines read ({done.seconds:.1f} s)"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UnreachableError("keystone does not answer", hint="is it up?"), 69, "keystone does not answer"),
        (click.UsageError("no such cloud"), 2, "no such cloud"),
        (click.exceptions.Exit(65), 65, None),
        (KeyboardInterrupt(), 130, "it was interrupted"),
        (SystemExit(77), 77, None),
        (ZeroDivisionError("division by zero"), 1, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_run_that_fails_leaves_its_outcome_too(
    tmp_path: Path, error: BaseException, code: int, words: Optional[str]
) -> None:
    with pytest.raises(type(error)), run_of(tmp_path, "accounting") as run:
        run.tell("2 of 9 projects read", projects=2)
        raise error
    done = left(tmp_path)
    assert (done.exit_code, done.error, done.sentence) == (code, words, "2 of 9 projects read")
    assert done.hint == ("is it up?" if code == 69 else done.hint)
    with run_of(tmp_path, "accounting"):
        pass
    assert left(tmp_path).failures == 0


def test_under_the_daemon_it_bears_the_daemons_name_and_leaves_the_words_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(outcome.RUN, "the-run")
    with caplog.at_level(logging.INFO), run_of(tmp_path, "accounting") as run:
        run.tell("done that")
    assert left(tmp_path).run == "the-run"
    with pytest.raises(UnreachableError) as caught, run_of(tmp_path, "accounting"):
        raise UnreachableError("no answer")
    assert caught.value.reported and left(tmp_path).error == "no answer"
    lock = locks.held(outcome.lock_of(tmp_path, "accounting", None), "it")
    with lock, pytest.raises(locks.LockedError) as locked, run_of(tmp_path, "accounting"):
        pass
    assert locked.value.reported and left(tmp_path).error == "no answer", "another's outcome is left alone"
    assert not caplog.records


def test_told_to_end_it_unwinds_past_whoever_catches_errors(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom fedcloud_agent.cli.running import run_of\n"
        "with run_of(Path(sys.argv[1]), 'accounting') as run:\n"
        "    for page in range(9):\n"
        "        try:\n"
        "            run.tell(f'{page} pages'); print(page, flush=True); time.sleep(60)\n"
        "        except Exception: pass\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"0\n"
    begin = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(10) == 143 and time.monotonic() - begin < 10
    process.stdout.close()
    done = left(tmp_path)
    assert (done.exit_code, done.error, done.sentence) == (143, "it was told to end (SIGTERM)", "0 pages")


def test_a_library_that_makes_another_error_of_the_end_hides_it_not(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught, run_of(tmp_path, "accounting", "main"):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        finally:
            assert os.getpid() < 0, "as SQLAlchemy has it that a commit was not carried out"
    assert caught.value.code == 143
    done = left(tmp_path, "main")
    assert (done.exit_code, done.error) == (143, "it was told to end (SIGTERM)")
