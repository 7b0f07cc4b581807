"""Another tree takes the place of the one that is served, and readers see the one or the other."""

from __future__ import annotations

import re
import threading
import time
from typing import Dict, List, Optional

import pytest

from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.ldap import Change, Directory, LdapError, Modify
from tests.integration.infosys.serve.agent import DOMAIN, Serve, eventually, gone
from tests.integration.infosys.serve.trees import tree, versions

IMAGES = 1500


class Reader(threading.Thread):
    """Reads the whole tree again and again, over a new connection each time, as a Top does."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self.done = threading.Event()
        self.seen: List[Dict[Optional[str], int]] = []
        self.refused = 0
        self.broken: List[str] = []

    def run(self) -> None:
        while not self.done.is_set():
            entries: List[Entry] = []
            try:
                with Directory(self._url, timeout=20) as directory:
                    entries = [Entry(*found) for found in directory.search("o=glue")]
            except LdapError as error:
                if "let us in" in error.message and not entries:
                    self.refused += 1
                else:
                    self.broken.append(error.message)
                time.sleep(0.002)
            else:
                self.seen.append(versions(entries))


def loads(agent: Serve) -> str:
    return agent.serving.load


def test_readers_see_the_old_tree_or_the_new_and_never_half_of_one(agent: Serve) -> None:
    agent.keep("load-1", tree(IMAGES, "1"))
    with agent:
        readers = [Reader(agent.url(host)) for host in ("127.0.0.1", "::1", "127.0.0.1")]
        for reader in readers:
            reader.start()
        for number in range(2, 6):
            agent.keep(f"load-{number}", tree(IMAGES, str(number)))
            eventually(lambda number=number: loads(agent) == f"load-{number}", 60)  # type: ignore[misc]
        time.sleep(0.5)
        for reader in readers:
            reader.done.set()
        for reader in readers:
            reader.join(60)
        answers = [one for reader in readers for one in reader.seen]
        assert [one for reader in readers for one in reader.broken] == []
        assert all(list(one.values()) == [IMAGES] for one in answers), "every answer is whole and of one load"
        assert {key for one in answers for key in one} >= {"1", "5"}
        for reader in readers:
            order = [int(next(iter(one)) or 0) for one in reader.seen]
            assert order == sorted(order), "nobody goes back"
        gaps = list(map(int, re.findall(r"handed over: for (\d+) ms nobody listened", agent.log.read_text())))
        print(f"{len(answers)} answers, {sum(one.refused for one in readers)} refused connections, gaps {gaps} ms")
        assert len(gaps) == 4 and min(gaps) < 500
        eventually(lambda: len(agent.slapds()) == 1)
        idle = agent.sides["b" if agent.serving.directory == "a" else "a"]
        eventually(lambda: not idle.path.exists())


def test_a_client_of_the_former_server_is_served_to_the_end(agent: Serve) -> None:
    agent.keep("load-1", tree(IMAGES, "1"))
    with agent:
        former = agent.serving.pid
        with agent.anonymous() as patient, agent.writer() as writer:
            slow = patient.search("o=glue")
            first = [next(slow) for _ in range(10)]
            agent.keep("load-2", tree(IMAGES, "2"))
            eventually(lambda: loads(agent) == "load-2")
            assert versions(agent.tree()) == {"2": IMAGES}
            # it had begun before, and goes on as if nothing had happened; the next question, too
            assert versions([Entry(*found) for found in (*first, *slow)]) == {"1": IMAGES}
            assert versions([Entry(*found) for found in patient.search("o=glue")]) == {"1": IMAGES}
            (refused,) = writer.phase([Modify(DOMAIN, (Change("GLUE2DomainDescription", ("late",)),))])
            assert refused.code == 53, "what is written to it would be lost"
            assert not gone(former) and len(agent.slapds()) == 2

            # both sides are in use: the next load waits for the last client of the former server
            agent.keep("load-3", tree(IMAGES, "3"))
            time.sleep(1.5)
            assert loads(agent) == "load-2"
        eventually(lambda: loads(agent) == "load-3")
        assert gone(former) and versions(agent.tree()) == {"3": IMAGES}


def test_a_tree_that_cannot_be_loaded_leaves_the_old_one_alone(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        pid = agent.serving.pid
        parentless = [one for one in tree() if not one.dn.startswith("GLUE2GroupID=cloud")]
        agent.keep("load-2", parentless)
        eventually(lambda: agent.said("load load-2 cannot be served; the old tree stays"))
        assert "slapadd could not load o=glue" in agent.log.read_text()
        assert agent.serving.pid == pid and agent.slapds() == [pid] and agent.answers()
        assert not agent.sides["b"].path.exists()
        agent.keep("load-3", tree(25))
        eventually(lambda: loads(agent) == "load-3")
        assert versions(agent.tree()) == {"1": 25}


def test_an_empty_tree_is_never_served(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        agent.keep("load-2", [])
        eventually(lambda: agent.said("load load-2 cannot be served"))
        assert agent.said("the kept tree holds no entry")
        assert len(agent.tree()) == len(tree())


def test_the_figures_begin_anew_with_each_load(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        with agent.writer() as writer:
            dn = f"Hostname={agent.settings['host']},o=infosys"
            assert writer.phase([Modify(dn, (Change("NewEntries", ("7",)),))]) == []
        agent.keep("load-2", tree())
        eventually(lambda: loads(agent) == "load-2")
        with agent.anonymous() as directory:
            (found,) = directory.search(dn, scope="base")
        assert found.attributes["NewEntries"] == ("0",)


@pytest.mark.parametrize("number", [1, 2])
def test_the_socket_of_the_writer_is_said_with_each_load(agent: Serve, number: int) -> None:
    agent.keep("load-1", tree())
    with agent:
        for turn in range(number):
            agent.keep(f"load-{turn + 2}", tree())
            eventually(lambda turn=turn: loads(agent) == f"load-{turn + 2}")  # type: ignore[misc]
            eventually(lambda: len(agent.slapds()) == 1)
        with agent.writer() as writer:
            assert writer.phase([Modify(DOMAIN, (Change("GLUE2DomainDescription", ("new",)),))]) == []
        assert any(one.first("GLUE2DomainDescription") == "new" for one in agent.tree())
