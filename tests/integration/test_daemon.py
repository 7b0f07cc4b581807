"""The daemon as a real process, with real children, under a service manager that listens on a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import psutil
import pytest

from fedcloud_agent import outcome
from fedcloud_agent.daemon import state as states
from fedcloud_agent.daemon.marked import marked
from tests.federation.controller import Controller

ROOT = Path(__file__).parents[2]
MEGABYTE = 1 << 20


def python(code: str) -> List[str]:
    return [sys.executable, "-c", f"import os, signal, subprocess, sys, time\n{code}"]


def run_of(directory: Path, loop: str, code: str = "pass", cloud: Optional[str] = None) -> List[str]:
    """A child that runs as every command does: lock, outcome, sentence."""
    return python(
        "from pathlib import Path\n"
        "from fedcloud_agent.cli.running import run_of\n"
        "from fedcloud_agent.errors import *\n"
        "try:\n"
        f"    with run_of(Path({str(directory / 'state')!r}), {loop!r}, {cloud!r}) as run:\n"
        + "".join(f"        {line}\n" for line in code.splitlines())
        + "except AgentError as error:\n"
        "    print('' if error.reported else error.message, file=sys.stderr)\n"
        "    sys.exit(error.exit_code)\n"
    )


def eventually(what: Callable[[], Any], seconds: float = 15.0) -> Any:
    limit = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > limit:
            assert value, "it did not come to pass"
            return value
        time.sleep(0.02)


class DaemonOfLoops(Controller):
    name = "daemon"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, port=1)  # it listens on none
        self.state = directory / "state"
        self.configuration = directory / "loops.json"
        self.extra: Dict[str, str] = {}
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(str(directory / "notify"))
        self.channel.setblocking(False)
        self.notices: List[str] = []

    def configure(self, *loops: List[Any], **more: Any) -> DaemonOfLoops:
        self.configuration.write_text(json.dumps({"loops": loops, **more}))
        return self

    def command(self) -> List[str]:
        return [
            sys.executable, "-m", "tests.integration.daemon_of_loops", str(self.state), str(self.configuration),
        ]  # fmt: skip

    def environment(self) -> Dict[str, str]:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        return {**os.environ, "PYTHONPATH": path, "NOTIFY_SOCKET": str(self.directory / "notify"), **self.extra}

    def is_ready(self) -> bool:
        return any("READY=1" in notice for notice in self.heard())

    def heard(self) -> List[str]:
        while True:
            try:
                self.notices.append(self.channel.recv(65536).decode())
            except BlockingIOError:
                return self.notices

    def forget(self) -> None:
        self.heard()
        self.notices = []

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def outcome(self, loop: str, cloud: Optional[str] = None) -> Optional[outcome.Outcome]:
        return outcome.read(outcome.path_of(self.state, loop, cloud))

    def said(self, words: str) -> bool:
        return words in self.log.read_text()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonOfLoops]:
    server = DaemonOfLoops(tmp_path)
    try:
        yield server
    finally:
        left = states.read(server.state)
        server.stop()
        server.channel.close()
        for pids in marked([r.run for r in left.running] if left else []).values():
            for pid in pids:
                os.kill(pid, signal.SIGKILL)


def test_a_life_as_the_service_manager_sees_it(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    daemon.extra = {"WATCHDOG_USEC": "400000"}
    tell = run_of(tmp_path, "work", 'run.tell("7 machines read", machines=7)', "main")
    daemon.configure(["work", "main", ["every 1h"], 60, tell])
    daemon.start()
    assert daemon.notices[0].startswith("READY=1\nSTATUS=1 loops")

    eventually(lambda: daemon.said("work of main: 7 machines read ("))
    done = daemon.outcome("work", "main")
    assert done is not None and done.good and done.figures == {"machines": 7} and done.succeeded == done.finished
    assert done.memory is not None and 5 * MEGABYTE < done.memory < 200 * MEGABYTE
    assert any(n.startswith("STATUS=1 loops; running work of main") for n in daemon.heard())
    eventually(lambda: any(n.startswith("STATUS=1 loops; next work of main at ") for n in daemon.heard()))

    daemon.forget()
    time.sleep(1.0)
    assert 3 <= sum("WATCHDOG=1" in n for n in daemon.heard()) <= 8, "about twice within each 0.4 s"

    daemon.forget()
    daemon.signal(signal.SIGHUP)
    eventually(lambda: sum(n.startswith(("RELOADING=1", "READY=1")) for n in daemon.heard()) == 2)
    reloading, ready = (n for n in daemon.notices if n.startswith(("RELOADING=1", "READY=1")))
    name, _, value = reloading.splitlines()[1].partition("=")
    assert name == "MONOTONIC_USEC" and abs(int(value) / 1e6 - time.monotonic()) < 15
    assert ready.startswith("READY=1\nSTATUS=")

    daemon.forget()
    process = daemon.process
    assert process is not None
    process.terminate()
    assert process.wait(10) == 0
    assert any(n.startswith("STOPPING=1") for n in daemon.heard())
    last = states.read(daemon.state)
    assert last is not None and last.stopped is not None and not last.running and not last.alive
    assert daemon.log.read_text().count("work of main: 7 machines read") == 1, "one sentence for a run"


def test_children_do_not_speak_to_the_service_manager_and_run_on_the_snapshot(
    daemon: DaemonOfLoops, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    daemon.extra = {"WATCHDOG_USEC": "60000000"}
    code = f"open({str(seen)!r}, 'w').write('\\n'.join(os.environ) + '\\n' + os.getcwd())"
    daemon.configure(["work", None, ["every 1h"], 60, python(code)])
    with daemon:
        eventually(lambda: seen.exists() and daemon.outcome("work"))
        names = seen.read_text().splitlines()
        assert outcome.RUN in names and names[-1] == "/"
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC"} & set(names)
        snapshot = states.snapshot_of(daemon.state)
        assert snapshot.read_bytes() == daemon.configuration.read_bytes()
        assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600


def test_a_faulty_configuration_is_not_taken_over_until_it_is_good(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    daemon.configure(["work", None, ["every 1h"], 60, run_of(tmp_path, "work")])
    with daemon:
        good = states.snapshot_of(daemon.state).read_bytes()
        daemon.configuration.write_text('{"loops": [')
        daemon.signal(signal.SIGHUP)
        eventually(lambda: daemon.said("the new configuration is not used, the old one stays: "))
        eventually(lambda: any("READY=1\nSTATUS=" in n and "faulty" in n for n in daemon.heard()[1:]))
        assert states.snapshot_of(daemon.state).read_bytes() == good
        left = eventually(lambda: states.read(daemon.state))
        assert "half-edited" in eventually(lambda: (states.read(daemon.state) or left).fault)

        tell = run_of(tmp_path, "other", 'run.tell("ran")')
        daemon.configure(["other", None, ["every 1h"], 60, tell], faults=["clouds.b: no such type"])
        daemon.signal(signal.SIGHUP)
        eventually(lambda: daemon.said("other: ran ("))
        assert daemon.said("left out: clouds.b: no such type")
        now = eventually(lambda: states.read(daemon.state))
        assert now.fault is None and [p.loop for p in now.loops] == ["other"] and now.faults


def test_no_start_with_a_faulty_configuration_nor_beside_another_daemon(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    daemon.state.mkdir()
    daemon.configuration.write_text("?")
    with pytest.raises(RuntimeError, match="half-edited"):
        daemon.start()
    daemon.configure()
    with daemon:
        second = DaemonOfLoops(tmp_path / "second")
        second.state, second.configuration = daemon.state, daemon.configuration
        assert daemon.process is not None
        with pytest.raises(RuntimeError, match=rf"being done by process {daemon.process.pid} since"):
            second.start()
        second.channel.close()


GRANDCHILDREN = """
signal.signal(signal.SIGTERM, lambda *_: open({marks!r} + "/told", "w").close())
near = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
far = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
open({marks!r} + "/pids.part", "w").write(f"{{os.getpid()}} {{near.pid}} {{far.pid}}")
os.rename({marks!r} + "/pids.part", {marks!r} + "/pids")
while True: time.sleep(300)
"""


def test_the_deadline_ends_a_hanging_run_with_all_that_it_started(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    hang = python(GRANDCHILDREN.format(marks=str(tmp_path)))
    daemon.configure(["hang", None, ["every 1h"], 3, hang], settings={"stop_timeout": 1})
    with daemon:
        done = eventually(lambda: daemon.outcome("hang"))
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert (tmp_path / "told").exists(), "it was asked before it was killed"
        eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))
        assert (done.exit_code, done.error) == (143, "it did not finish within 3s and was ended")
        assert done.failures == 1 and done.succeeded is None
        assert daemon.said("hang: failed (exit code 143): it did not finish within 3s and was ended")


def test_a_run_that_unwinds_at_its_deadline_counts_as_one_failure(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    slow = run_of(tmp_path, "slow", 'run.tell("3 pages read", pages=3)\ntime.sleep(300)')
    daemon.configure(["slow", None, ["every 1h"], 3, slow])
    with daemon:
        done = eventually(lambda: (o := daemon.outcome("slow")) and "did not finish" in (o.error or "") and o)
        assert done.sentence == "3 pages read" and done.figures == {"pages": 3} and done.failures == 1


def test_runs_end_in_order_when_the_daemon_stops_and_are_made_up_for(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    gentle = run_of(tmp_path, "gentle", f"open({str(tmp_path / 'up')!r}, 'a').write('x')\ntime.sleep(300)")
    stubborn = python(
        f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(tmp_path / 'up')!r}, 'a').write('x')\n"
        "while True: time.sleep(300)"
    )
    daemon.configure(
        ["gentle", None, ["every 1h"], 600, gentle],
        ["stubborn", None, ["every 1h"], 600, stubborn],
        settings={"stop_timeout": 2},
    )
    daemon.start()
    process = daemon.process
    assert process is not None
    eventually(lambda: (tmp_path / "up").exists() and (tmp_path / "up").read_text() == "xx")
    running = eventually(lambda: states.read(daemon.state)).running
    begin = time.monotonic()
    process.terminate()
    assert process.wait(15) == 0
    assert 1.5 < time.monotonic() - begin < 10, "the stubborn one had its time, and no more"
    assert not marked([r.run for r in running])
    for loop in ("gentle", "stubborn"):
        left = daemon.outcome(loop)
        assert left is not None and (left.exit_code, left.error) == (75, "it was ended because the daemon stopped")

    daemon.process = None
    daemon.forget()
    ran = run_of(tmp_path, "gentle", 'run.tell("made up for")')
    owed = run_of(tmp_path, "stubborn", 'run.tell("its turn was owed")')
    daemon.configure(["gentle", None, ["every 1h"], 600, ran], ["stubborn", None, ["5 0 1 * *"], 600, owed])
    with daemon:
        eventually(lambda: daemon.said("gentle: made up for"))
        eventually(lambda: daemon.said("stubborn: its turn was owed"))


def test_runs_of_a_killed_daemon_are_found_and_let_to_their_end(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    go, pid_file = tmp_path / "go", tmp_path / "pid"
    code = (
        f"open({str(pid_file)!r}, 'a').write(f'{{os.getpid()}} ')\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\n"
        'run.tell("finished by itself")'
    )
    long = run_of(tmp_path, "long", code)
    gone = python(f"open({str(tmp_path / 'gone')!r}, 'a').write('x'); time.sleep(300)")
    daemon.configure(["long", None, ["every 1h"], 600, long], ["gone", None, ["every 1h"], 600, gone])
    daemon.start()
    eventually(lambda: pid_file.exists() and pid_file.read_text() and (tmp_path / "gone").exists())
    first = eventually(lambda: states.read(daemon.state))
    daemon.kill()
    assert not first.alive
    (lost,) = (r.run for r in first.running if r.loop == "gone")
    assert len(marked([r.run for r in first.running])) == 2, "they outlive a daemon that is killed"
    for pid in marked([lost])[lost]:
        os.kill(pid, signal.SIGKILL)

    daemon.forget()
    daemon.configure(["long", None, ["every 1h"], 600, long], ["gone", None, ["every 1h"], 600, python("sys.exit(65)")])
    with daemon:
        eventually(lambda: daemon.said("long still runs since an earlier daemon"))
        eventually(lambda: daemon.said("gone: failed (exit code 75): it ended unseen by any daemon"))
        assert [r.run for r in eventually(lambda: states.read(daemon.state)).running if r.loop == "long"] == [
            r.run for r in first.running if r.loop == "long"
        ]
        eventually(lambda: daemon.said("gone: failed (exit code 65)"))
        go.touch()
        eventually(lambda: daemon.said("long: finished by itself"))
        assert len(pid_file.read_text().split()) == 1, "it was not started a second time meanwhile"


def test_a_lost_run_whose_loop_has_gone_is_ended(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    daemon.configure(["old", None, ["every 1h"], 600, python("time.sleep(300)")])
    daemon.start()
    (run,) = eventually(lambda: (s := states.read(daemon.state)) and s.running)
    eventually(lambda: marked([run.run]))
    daemon.kill()
    daemon.forget()
    daemon.configure()
    with daemon:
        eventually(lambda: not marked([run.run]))
        assert eventually(lambda: daemon.outcome("old")).error == "its loop is no longer configured"


def test_a_loop_that_somebody_runs_by_hand_is_busy_and_tried_again(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    from fedcloud_agent import locks

    tell = run_of(tmp_path, "work", 'run.tell("my turn")')
    daemon.configure(["work", None, ["every 1h"], 60, tell], settings={"retry": 1})
    with locks.held(outcome.lock_of(daemon.state, "work", None), "a run of work"):
        daemon.start()
        eventually(lambda: daemon.log.read_text().count("work: busy with another run") >= 2)
        assert daemon.outcome("work") is None, "the outcome belongs to the run that holds the lock"
    eventually(lambda: daemon.said("work: my turn"))


def test_failures_are_told_once_and_counted(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    fail = run_of(tmp_path, "bad", 'raise UnreachableError("keystone.example.org does not answer", hint="is it up?")')
    bug = run_of(tmp_path, "bug", "1 / 0")
    missing = ["/nonexistent/program"]
    daemon.configure(
        ["bad", None, ["every 10s"], 60, fail],
        ["bug", None, ["every 1h"], 60, bug],
        ["missing", None, ["every 1h"], 60, missing],
    )
    with daemon:
        eventually(lambda: daemon.said("bad: failed (exit code 69): keystone.example.org does not answer"))
        eventually(lambda: daemon.said("bug: failed (exit code 1): ZeroDivisionError"))
        assert daemon.said("Traceback (most recent call last)"), "a bug of ours shows where"
        eventually(lambda: daemon.said("missing: failed (exit code 71): /nonexistent/program cannot be run"))
        assert daemon.log.read_text().count("keystone.example.org") == 1
        eventually(lambda: daemon.said("; 2 failures in a row"), 30)


def test_no_more_runs_at_once_than_allowed(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).mkdir()
    code = (
        f"mine = {str(tmp_path)!r} + '/in-' + sys.argv[1]; open(mine, 'w').close()\n"
        f"count = sum(n.startswith('in-') for n in os.listdir({str(tmp_path)!r}))\n"
        f"open({str(tmp_path / 'counts')!r}, 'a').write(f'{{count}} ')\n"
        "time.sleep(0.4); os.remove(mine)"
    )
    loops = [[name, None, ["every 1h"], 60, [*python(code), name]] for name in "abcd"]
    daemon.configure(*loops, settings={"parallel": 2})
    with daemon:
        eventually(lambda: all(daemon.outcome(name) for name in "abcd"))
    counts = [int(n) for n in (tmp_path / "counts").read_text().split()]
    assert len(counts) == 4 and max(counts) <= 2


def test_an_idle_daemon_is_small(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    """40 MB (PSS) after its first runs, with none of what the work needs."""
    loops = [["work", f"cloud{n}", ["every 1h", "5 0 1 * *"], 60, python("pass")] for n in range(8)]
    daemon.configure(*loops)
    with daemon:
        eventually(lambda: all(daemon.outcome("work", f"cloud{n}") for n in range(8)), 30)
        assert daemon.process is not None
        process = psutil.Process(daemon.process.pid)
        used = process.memory_full_info().pss
        print(f"daemon, idle: {used / MEGABYTE:.1f} MiB PSS")
        assert used < 40_000_000
        libraries = " ".join(m.path for m in process.memory_maps())
        assert "sqlalchemy" not in libraries.lower() and "_rust" not in libraries
        assert process.num_threads() == 1
        before, begin = process.cpu_times(), time.monotonic()
        time.sleep(2)
        after = process.cpu_times()
        assert (after.user + after.system - before.user - before.system) / (time.monotonic() - begin) < 0.05


def test_a_run_that_dies_of_any_signal_is_told_of(daemon: DaemonOfLoops, tmp_path: Path) -> None:
    loops = [
        [f"die{number}", None, ["every 1h"], 60, python(f"os.kill(os.getpid(), {number})")]
        for number in (signal.SIGKILL, signal.SIGRTMIN + 3)
    ]
    daemon.configure(*loops, ["silent", None, ["every 1h"], 60, python("pass")])
    with daemon:
        eventually(lambda: daemon.said("die9: failed (exit code 137): it was ended by SIGKILL and left no outcome"))
        eventually(lambda: daemon.said(f"it was ended by signal {signal.SIGRTMIN + 3} and left no outcome"))
        eventually(lambda: daemon.said("silent: failed (exit code 1): it left no outcome"))
