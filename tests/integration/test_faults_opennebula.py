"""An OpenNebula in trouble: the run says what oned did, nothing is lost or invented, the next run is exact."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from fedcloud_agent.clock import DAY, HOUR
from tests.federation.box import RIGHTS, Box
from tests.integration.faults import START, assert_truth, change, failed, loaded, pass_time, recovers, shown

COUNT = 200
MACHINES = r"one\.vmpool\.(info|infoextended|infoset)$"

Case = Tuple[Dict[str, Any], int, str]

CASES: List[Case] = [
    ({"kind": "fault"}, 65, "oned cannot even tell a range of ids without machines"),
    ({"kind": "fault", "code": -506}, 65, "answered fault -506"),
    ({"kind": "unauthenticated"}, 77, "expired token: oned does not say which"),
    ({"kind": "html"}, 69, "answered 502"),
    ({"kind": "truncated"}, 65, "bytes before the end"),
    ({"kind": "laughs"}, 65, "answered no VM_POOL"),
    ({"kind": "empty_body"}, 65, "answered no XML-RPC"),
]


def _site(directory: Path, count: int) -> Iterator[Box]:
    with Box(directory, broker=False, openstack=False, opennebula="6.10") as box:
        box.set_clock(START)
        box.oned.create_vms([{"user": "jane", "created": START - 2 * DAY, "count": count, "spacing": 7}])
        box.oned.act(0, "suspend", at=START)
        box.oned.act(1, "terminate", at=START + HOUR)
        box.set_clock(START + 15 * DAY)
        box.agent("accounting", "run")
        assert_truth(box)
        yield box


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A site of many machines, one of them suspended and one ended."""
    yield from _site(tmp_path_factory.mktemp("oned"), COUNT)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Box]:
    yield from _site(tmp_path / "small", 8)


def ledger(box: Box) -> Any:
    """Return how far the cloud was listed, and every machine's state and end."""
    with sqlite3.connect(f"file:{box.state}/agent.db?mode=ro", uri=True) as connection:
        marks = connection.execute("SELECT name, as_of, full_as_of, mark FROM scope").fetchall()
        lives = connection.execute('SELECT uuid, status, "end", running FROM vm ORDER BY uuid').fetchall()
    return marks, lives


def centre(box: Box) -> Any:
    """Return what the centre shows of each machine and month."""
    with loaded(box) as repository:
        return shown(repository)


def test_an_answer_that_is_none(box: Box) -> None:
    """Each fault keeps a full listing from its end, from whose absences something could be concluded."""
    pass_time(box, DAY)
    before = ledger(box)
    for fault, code, words in CASES:
        box.oned.fault(**fault, method=MACHINES, count=None)
        failed(box.agent("accounting", "extract", check=False), code, words, f"127.0.0.1:{box.oned.port}")
        box.oned.clear_faults()
        assert ledger(box) == before, f"{fault}: something was concluded from a listing that did not end"
    recovers(box)


def test_a_wrong_password(box: Box) -> None:
    pass_time(box)
    before = ledger(box)
    (box.etc / "oned.secret").write_text("wrong\n")
    failed(box.agent("accounting", "run", check=False), 77, "wrong secret, unknown or disabled account", "127.0.0.1")
    assert ledger(box) == before
    box.configure()
    recovers(box)


def test_a_token_that_expires(box: Box) -> None:
    account = box.oned.create_user("accounting-2", tokens=[["0123456789abcdef", -1, -1]])
    rule = box.oned.create_rule(f"#{account} {RIGHTS}")
    change(box, auth=f"{{username: accounting-2, password_file: {box.etc}/oned.secret}}")
    (box.etc / "oned.secret").write_text("0123456789abcdef\n")
    recovers(box)
    box.oned.expire_sessions()
    pass_time(box)
    before = ledger(box)
    failed(box.agent("accounting", "run", check=False), 77, "expired token", "127.0.0.1")
    assert ledger(box) == before
    box.oned.delete_rule(rule)
    box.configure()
    recovers(box)


def test_rights_that_were_lost(box: Box) -> None:
    """oned would show a part of the machines and say nothing."""
    pass_time(box, DAY)
    before = ledger(box)
    box.oned.delete_rule(box.rule)
    words = ("sees only some of the machines", "oneacl create")
    failed(box.agent("accounting", "run", check=False), 77, *words)
    assert ledger(box) == before
    box.rule = box.oned.create_rule(f"#{box.account} {RIGHTS}")
    recovers(box)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    "fault", [{"kind": "shrink"}, {"kind": "no_document", "text": "<VM_POOL></VM_POOL>"}], ids=["by half", "to nothing"]
)
def test_a_pool_that_shrank(box: Box, fault: Dict[str, Any], full: bool) -> None:
    """Nobody is completed by it, and nobody reported beyond what is known."""
    pass_time(box, DAY if full else 4 * HOUR)
    (_, lives), known = ledger(box), centre(box)
    box.oned.fault(method=MACHINES, count=None, **fault)
    done = box.agent("accounting", "run", check=False)
    if full:
        failed(done, 65, "vanished at once, so none of them is completed", "--accept-vanished")
    else:
        failed(done, 0, "and", "more: oned says that there is no such machine")
    assert ledger(box)[1] == lives
    after = centre(box)
    assert {key: after[key] for key in known if after[key] < known[key]} == {}
    box.oned.clear_faults()
    recovers(box)


@pytest.mark.parametrize("full", [False, True])
def test_a_state_from_the_future(box: Box, full: bool) -> None:
    pass_time(box, DAY if full else 4 * HOUR)
    _, lives = ledger(box)
    box.oned.fault("state", r"one\.vm", count=None)
    failed(box.agent("accounting", "run", check=False), 0, "its state is 12, of which we know nothing; what is known")
    assert ledger(box)[1] == lives
    box.oned.clear_faults()
    recovers(box)


def test_bytes_that_are_no_utf_8(box: Box) -> None:
    """They spoil names alone, and nothing of it comes to the centre but text."""
    pass_time(box)
    box.oned.fault("bytes", r"one\.vm", count=None)
    box.agent("accounting", "run")
    assert_truth(box)
    box.oned.clear_faults()
    recovers(box)


def test_a_machine_with_an_emoji_blinds_nobody(box: Box) -> None:
    now = pass_time(box)
    box.oned.act(7, "change", user_template={"NOTE": "\N{GRINNING FACE}"})
    box.oned.act(8, "terminate", at=now)
    done = box.agent("accounting", "run")
    assert "machine 7: oned cannot tell its attributes, so it is known in brief only" in done.stderr
    assert_truth(box)
    pass_time(box)
    assert "machine 7: " in box.agent("accounting", "run").stderr, "it is told in each run"
    assert_truth(box)
    box.oned.act(7, "change", user_template={"NOTE": "text"})
    pass_time(box, DAY)
    assert "machine 7" not in box.agent("accounting", "run").stderr
    assert_truth(box)


def test_an_endpoint_that_changed(box: Box) -> None:
    """The machines would get other names, and be counted twice."""
    pass_time(box)
    before, former = ledger(box), box.oned.url
    change(box, endpoint=f"http://localhost:{box.oned.port}/RPC2")
    words = ("would now be sent as", f"http://localhost:{box.oned.port}/rpc2/compute/", "set uuid_endpoint")
    failed(box.agent("accounting", "run", check=False), 78, *words)
    assert ledger(box) == before
    box.configure(oned_settings=f"uuid_endpoint: {former}")
    change(box, endpoint=f"http://localhost:{box.oned.port}/RPC2")
    recovers(box)
    box.configure(oned_settings="")
    recovers(box)


def test_an_oned_that_was_installed_anew(small: Box) -> None:
    """Its machines have the ids of others; those stay as they were seen, until a person knows that they went."""
    known = centre(small)
    pass_time(small)
    small.oned.reinstall()
    small.create_vm(vcpu=3)
    new = set(small.lives())
    pass_time(small, DAY)
    words = ("7 of 8 machines of project", "--accept-vanished")
    failed(small.agent("accounting", "run", check=False), 65, *words)
    pass_time(small, 2 * DAY)
    failed(small.agent("accounting", "run", check=False), 65, "vanished at once")

    def assert_both() -> None:
        told = centre(small)
        assert {key: used for key, used in told.items() if key[0] not in new} == known, "the old ones are as they were"
        (of_new,) = {key: used for key, used in told.items() if key[0] in new}.values()
        assert of_new == (3 * DAY, 9 * DAY)

    assert_both()
    small.agent("accounting", "extract", "--accept-vanished")
    small.agent("accounting", "send")
    assert_both()
