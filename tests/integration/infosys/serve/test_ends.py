"""What ends, and what comes after it: slapd, whoever watches it, and the machine."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from typing import List

import pytest

from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.slapd import serving
from fedcloud_agent.ldap import Change, Modify
from tests.integration.infosys.serve.agent import DOMAIN, Serve, eventually, gone
from tests.integration.infosys.serve.trees import tree, versions

MARK = "changed since the load"


def mark(agent: Serve) -> None:
    """Change the tree of the server behind the publisher's back: what is loaded anew does not have it."""
    with agent.writer() as writer:
        assert writer.phase([Modify(DOMAIN, (Change("GLUE2DomainDescription", (MARK,)),))]) == []


def marked(entries: List[Entry]) -> bool:
    return any(one.dn == DOMAIN and one.first("GLUE2DomainDescription") == MARK for one in entries)


def test_a_slapd_that_is_killed_is_back_at_once_with_its_tree(agent: Serve) -> None:
    entries = tree(500)
    agent.keep("load-1", entries)
    with agent:
        mark(agent)
        first = agent.serving.pid
        os.kill(first, signal.SIGKILL)
        eventually(lambda: gone(first))
        gap = agent.silence()
        print(f"slapd killed: nobody answered for {gap * 1000:.0f} ms")
        assert gap < 5
        again = agent.tree()
        assert len(again) == len(entries) and marked(again)
        eventually(lambda: agent.serving.pid != first)
        assert agent.slapds() == [agent.serving.pid]
        assert agent.said("slapd was ended by SIGKILL")


def test_one_that_dies_again_and_again_gets_new_databases(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        mark(agent)
        for _ in range(4):
            pid = eventually(lambda: next(iter(agent.slapds()), 0))
            eventually(agent.answers)
            os.kill(pid, signal.SIGKILL)
            eventually(lambda pid=pid: gone(pid))  # type: ignore[misc]
        eventually(lambda: agent.serving.directory == "b")
        assert agent.said("its databases are suspected")
        assert not marked(agent.tree())
        eventually(lambda: not agent.sides["a"].path.exists())


@pytest.mark.slow
def test_one_that_hangs_is_ended_and_started_again(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        first = agent.serving.pid
        os.kill(first, signal.SIGSTOP)
        eventually(lambda: agent.said("runs but does not answer"), 90)
        eventually(agent.answers)
        assert gone(first)


def test_after_a_kill_the_next_one_takes_over(agent: Serve) -> None:
    agent.keep("load-1", tree(500))
    with agent:
        mark(agent)
        orphan = agent.serving.pid
        agent.kill()
        assert agent.answers() and agent.slapds() == [orphan]
        agent.start()
        assert gone(orphan) and agent.slapds() == [agent.serving.pid]
        assert agent.said(f"process {orphan} of an earlier run")
        assert marked(agent.tree()), "its databases were whole"


def test_two_never_serve_at_once(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        second = subprocess.run(agent.command(), env=agent.environment(), capture_output=True, text=True, timeout=60)
        assert second.returncode == 75, second.stderr
        assert "the serving of the information system is being done by process" in second.stderr
        assert agent.answers() and agent.slapds() == [agent.serving.pid]


def test_a_restart_keeps_the_databases(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        mark(agent)
        before = agent.sides["a"].tree.stat().st_ino
        agent.restart()
        assert marked(agent.tree()) and agent.sides["a"].tree.stat().st_ino == before


def test_after_a_crash_of_the_machine_the_kept_tree_is_loaded_before_anybody_is_served(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        mark(agent)
        agent.stop()
        path = serving.path_of(agent.state)
        path.write_text(json.dumps({**json.loads(path.read_text()), "boot": "the one before"}))
        agent.start()
        assert not marked(agent.tree())
        assert agent.serving.boot == serving.boot_id()
        assert agent.serving.directory == "b" and not agent.sides["a"].path.exists()


def test_databases_that_another_configuration_made_are_not_trusted(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        mark(agent)
        agent.stop()
        path = agent.sides["a"].configuration
        path.write_text(path.read_text().replace("GLUE2DomainID,", ""))
        agent.start()
        assert not marked(agent.tree())


def test_a_damaged_note_of_what_was_served_stands_in_nobodys_way(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        agent.stop()
        serving.path_of(agent.state).write_text('{"pid": 1, "ldapi"')
        agent.start()
        assert agent.answers() and agent.said("is damaged")


def test_ruined_databases_are_loaded_anew(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        agent.stop()
        (agent.sides["a"].tree / "data.mdb").write_bytes(b"no database" * 1000)
        agent.start()
        assert len(agent.tree()) == len(tree())
        assert agent.said("cannot be served and is loaded anew")


def test_a_reload_of_the_configuration_moves_it_to_another_port(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        assert agent.process is not None
        agent.configure(port=0)
        agent.process.send_signal(signal.SIGHUP)
        eventually(lambda: agent.said("the new configuration is not used, the old one stays"))
        old = agent.port
        agent.port = old + 1
        agent.settings.pop("port")
        agent.configure()
        agent.process.send_signal(signal.SIGHUP)
        eventually(agent.answers)
        assert eventually(lambda: agent.serving.port == old + 1)
        agent.port = old
        assert not agent.answers()
        agent.port = old + 1


def test_its_watchdog_hears_of_it_while_slapd_answers(agent: Serve) -> None:
    agent.keep("load-1", tree())
    agent.extra["WATCHDOG_USEC"] = "400000"
    with agent:
        agent.heard()
        agent.notices = []
        time.sleep(1.5)
        assert 3 <= sum("WATCHDOG=1" in one for one in agent.heard()) <= 30


@pytest.mark.slow
def test_killed_at_any_moment_it_serves_a_whole_tree_afterwards(agent: Serve) -> None:
    chance = random.Random(20261122)
    agent.keep("load-0", tree(1000, "0"))
    with agent:
        for number in range(1, 9):
            agent.keep(f"load-{number}", tree(1000, str(number)))
            # a turn, slapadd, the hand-over, and what comes after it
            time.sleep(chance.uniform(0.0, 1.5))
            agent.kill()
            agent.start()
            assert versions(agent.tree()) in ({str(number - 1): 1000}, {str(number): 1000})
            eventually(lambda number=number: agent.serving.load == f"load-{number}")  # type: ignore[misc]
            assert versions(agent.tree()) == {str(number): 1000}
            eventually(lambda: agent.slapds() == [agent.serving.pid])
