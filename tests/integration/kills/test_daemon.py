"""The daemon and its runs, killed at every point where they commit; the next one needs no hands."""

from __future__ import annotations

import itertools
import os
import signal
import time
from typing import List

import psutil
import pytest

from fedcloud_agent import outcome
from fedcloud_agent.clock import HOUR
from tests.federation.box import AgentDaemon, Box
from tests.integration.kills.conftest import COMMITS, Site


class TracedDaemon(AgentDaemon):
    """The daemon, killed with its runs or without them at a system call."""

    def __init__(self, box: Box, call: str, number: int) -> None:
        super().__init__(box)
        self.call, self.number = call, number

    def command(self) -> List[str]:
        inject = ["-e", f"trace={self.call}", "-e", f"inject={self.call}:signal=KILL:when={self.number}"]
        return ["strace", "-f", "-qq", "-o", "/dev/null", *inject, *super().command()]

    def is_ready(self) -> bool:
        return True


def _rest(site: Site) -> None:
    """Wait until every loop has ended well."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        found, faults = outcome.read_all(site.box.state)
        assert not faults
        if len(found) == 2 and all(one.good and one.finished >= site.now for one in found):
            return
        time.sleep(0.05)
    raise AssertionError("the daemon did not get its runs done")


def _end_all(parent: int) -> None:
    with_children = [psutil.Process(parent), *psutil.Process(parent).children(recursive=True)]
    for one in with_children:
        one.kill()
    psutil.wait_procs(with_children)


@pytest.mark.parametrize("call", COMMITS)
def test_the_daemon_and_its_runs(site: Site, call: str) -> None:
    """Each process of the daemon's tree dies at its own N-th call: the daemon's are fsync and rename, its runs' all."""
    for number in itertools.count(1):
        site.forget()
        traced = TracedDaemon(site.box, call, number).start()
        assert traced.process is not None
        killed = True
        try:
            tracer = psutil.Process(traced.process.pid)
            deadline = time.monotonic() + 25
            while tracer.is_running() and tracer.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
                found, _ = outcome.read_all(site.box.state)
                daemon = [child for child in tracer.children() if "daemon" in child.cmdline()]
                if len(found) == 2 and daemon and len(tracer.children(recursive=True)) == 1:
                    # both runs have ended, and the daemon has written down how
                    killed = any(not one.good for one in found)
                    break
                time.sleep(0.1)
            if daemon_alive(tracer):
                _end_all(tracer.pid)
        finally:
            traced.stop()
        site.arrive()
        with site.box.daemon() as daemon:
            assert daemon.process is not None
            site.move(5 * HOUR)
            os.kill(daemon.process.pid, signal.SIGHUP)  # it sleeps through a step of the clock for some seconds
            _rest(site)
        site.settle()
        if not killed:
            break
    print(f"daemon: killed at {number - 1} points of {call}")
    assert number > 3


def daemon_alive(tracer: psutil.Process) -> bool:
    return tracer.is_running() and tracer.status() != psutil.STATUS_ZOMBIE
