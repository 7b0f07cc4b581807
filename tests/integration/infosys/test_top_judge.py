"""Readers that judge say nothing of a whole tree, whatever happens around it, and complain of every other one."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import Callable, Iterator, List, Set

import pytest

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import Entry
from tests.federation.top import TopBdii
from tests.federation.top.directory import SCHEMA, Directory
from tests.federation.top.judge import CUT, ERROR, KEYS, Judge
from tests.federation.top.judgement import DANGLING, EMPTY, PARTIAL, TWICE, Expectation, below, whole
from tests.federation.top.sources import GRID
from tests.unit.infosys.world import NOW, SITE, site

pytestmark = pytest.mark.skipif(
    not (SCHEMA / "GLUE20.schema").exists(), reason="the packages slapd and glue-schema are not installed"
)

BASE = f"GLUE2DomainID={SITE},o=glue"
TREE = list(glue20.entries(site(), NOW))
SERVICE = next(entry.dn for entry in TREE if "GLUE2ComputingService" in entry.classes)
EXPECTED = whole(TREE, BASE)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with Directory(tmp_path / "slapd").load(TREE) as running:
        yield running


def of_class(name: str) -> List[str]:
    """Return DNs, children first."""
    return [entry.dn for entry in reversed(TREE) if name in entry.classes]


@pytest.mark.parametrize("processes", [False, True])
def test_nothing_is_wrong_with_a_whole_tree(directory: Directory, processes: bool) -> None:
    with Judge(directory.port, EXPECTED, readers=3, processes=processes) as judge:
        judge.await_answers(20)
        assert judge.answers >= 60
    report = judge.report()
    report.demand(60, longest=0.0)
    assert report.found.least == report.found.most == EXPECTED.least and report.found.judged == 3
    assert report.found.refused == report.found.turned_away == 0


def test_keys_alone_are_enough_to_judge_by(directory: Directory) -> None:
    with Judge(directory.port, EXPECTED, attributes=KEYS) as judge:
        judge.await_answers(3)
    judge.report().demand(6)
    dangling(directory)
    with Judge(directory.port, Expectation(BASE), attributes=KEYS) as judge:
        judge.await_answers(3)
    assert set(judge.report().kinds) == {DANGLING}


def test_a_reader_that_dies_is_no_reader_that_found_nothing(directory: Directory) -> None:
    with Judge(directory.port, EXPECTED, processes=True) as judge:
        judge.await_answers(1)
        judge._workers[0].kill()
    assert list(judge.report().kinds) == [ERROR] and judge.report().found.answers > 0


def test_what_changes_without_breaking_anything_is_read_and_judged_anew(directory: Directory) -> None:
    with Judge(directory.port, EXPECTED, readers=1) as judge:
        for state in ("warning", "critical", "ok"):
            for dn in of_class("GLUE2Endpoint"):
                directory.replace(dn, GLUE2EndpointHealthState=[state])
            judge.await_answers(2)
    report = judge.report()
    report.demand(6)
    assert report.found.judged >= 3


def emptied(directory: Directory) -> None:
    directory.delete(*(entry.dn for entry in reversed(TREE) if below(entry.dn, BASE)))


def halved(directory: Directory) -> None:
    directory.delete(*(entry.dn for entry in TREE[:12:-1]))


def dangling(directory: Directory) -> None:
    directory.delete(*of_class("GLUE2ExecutionEnvironment"))


def doubled(directory: Directory) -> None:
    endpoint = next(entry for entry in TREE if "GLUE2Endpoint" in entry.classes)
    directory.add(Entry(f"{endpoint.dn.partition(',')[0]},{SERVICE}", endpoint.attributes))


def without_images(directory: Directory) -> None:
    directory.delete(*of_class("GLUE2ApplicationEnvironment"))


@pytest.mark.parametrize(
    ("harm", "expected", "kinds"),
    [
        (emptied, EXPECTED, {EMPTY}),
        (halved, EXPECTED, {PARTIAL}),
        (dangling, Expectation(BASE, least=5), {DANGLING}),
        (doubled, Expectation(BASE), {TWICE}),
        (without_images, EXPECTED, {PARTIAL}),
        (without_images, Expectation(BASE, branches={SERVICE: sum(below(one.dn, SERVICE) for one in TREE)}), {PARTIAL}),
    ],
)
def test_it_complains(
    directory: Directory, harm: Callable[[Directory], None], expected: Expectation, kinds: Set[str]
) -> None:
    with Judge(directory.port, expected) as judge:
        judge.await_answers(3)
        harm(directory)
        judge.await_answers(3)
    report = judge.report()
    assert kinds <= set(report.kinds), str(report)
    assert report.found.most is not None and report.found.most >= expected.least
    with pytest.raises(AssertionError, match=next(iter(kinds))):
        report.demand()


def test_each_step_on_the_way_to_nothing_is_seen_and_called_by_its_name(directory: Directory) -> None:
    with Judge(directory.port, EXPECTED, readers=1) as judge:
        judge.await_answers(1)
        for dn in (entry.dn for entry in reversed(TREE) if below(entry.dn, BASE)):
            directory.delete(dn)
            judge.await_answers(1)
    kinds = judge.report().kinds
    assert {EMPTY, PARTIAL} == set(kinds) and judge.report().found.judged >= EXPECTED.least, str(judge.report())


def test_a_closed_door_is_no_complaint_but_measured(directory: Directory) -> None:
    with Judge(directory.port, EXPECTED) as judge:
        judge.await_answers(3)
        for pause in (0.1, 0.5):
            directory.let_go()
            time.sleep(pause)
            directory.start()
            judge.await_answers(3)
    report = judge.report()
    report.demand(12)
    assert len(report.gaps) == 2 and report.found.refused > 0
    assert report.gaps[0] >= 0.1 and 0.5 <= report.longest < 5 and report.longest == report.gaps[1]
    with pytest.raises(AssertionError, match="no gap above 0.05"):
        report.demand(longest=0.05)


@contextlib.contextmanager
def relay(port: int, most: int) -> Iterator[int]:
    """Pass on what a server answers, but no more than so many bytes to each client."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pass_on(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server, contextlib.suppress(OSError):
            threading.Thread(target=up, args=(client, server), daemon=True).start()
            left = most
            while left > 0:
                data = server.recv(min(left, 4096))
                if not data:
                    break
                client.sendall(data)
                left -= len(data)
            for one in (client, server):
                one.shutdown(socket.SHUT_RDWR)

    def up(client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                data = client.recv(4096)
                if not data:
                    server.shutdown(socket.SHUT_WR)
                    return
                server.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=pass_on, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("most", "cut"), [(0, False), (2000, True)])
def test_an_answer_that_is_cut_is_a_complaint_and_being_turned_away_is_none(
    directory: Directory, most: int, cut: bool
) -> None:
    with relay(directory.port, most) as port, Judge(port, EXPECTED, readers=1) as judge:
        time.sleep(0.5)
    report = judge.report()
    assert (CUT in report.kinds) is cut and (report.found.turned_away > 0) is not cut, str(report)


def test_an_error_of_ldap_is_a_complaint(directory: Directory) -> None:
    with Judge(directory.port, Expectation("GLUE2NoSuchAttribute=1,o=glue")) as judge:
        time.sleep(0.3)
    assert set(judge.report().kinds) == {ERROR} and "INVALID_DN_SYNTAX" in str(judge.report())


def test_what_a_top_holds_of_a_site_is_judged_as_well(directory: Directory, tmp_path: Path) -> None:
    base = f"GLUE2DomainID={SITE},{GRID}"
    moved = [Entry(entry.dn.replace("o=glue", GRID), entry.attributes) for entry in TREE if below(entry.dn, BASE)]
    expected = whole((one for one in moved if "GLUE2ApplicationEnvironment" not in one.classes), base)
    with TopBdii(tmp_path / "top", {SITE: f"{directory.url}/{BASE}"}, interval=0.1) as top:
        with Judge(top.port, expected, readers=1) as calm:
            calm.await_answers(5)
            top.await_cycle()
        calm.report().demand(5)
        with Judge(top.port, expected, readers=1) as judge:
            directory.stop()
            top.await_cycle()
            judge.await_answers(2)
    assert {PARTIAL, EMPTY} & set(judge.report().kinds), str(judge.report())
