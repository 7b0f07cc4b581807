"""A cloud in trouble: the run says what the cloud did, nothing is taken for absent, and the next plain run is exact."""

from __future__ import annotations

import sqlite3
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from fedcloud_agent.clock import DAY, utc
from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, failed, pass_time, recovers

LOGIN = "auth/tokens"
LISTING = "servers/detail"
LATER_PAGES = r"servers/detail\?.*marker="

Case = Tuple[Dict[str, Any], int, str]

# a Retry-After of nothing keeps the test short: what waits without it is tried once for each place
PASSED_ON: List[Case] = [
    ({"kind": "status", "status": 429, "retry_after": 0}, 69, "answered 429"),
    ({"kind": "status", "status": 503, "retry_after": 0}, 69, "answered 503"),
    ({"kind": "huge", "bytes": 3_000_000}, 65, "more than 2000000 bytes; we stopped reading"),
]
KEYSTONE: List[Case] = [
    ({"kind": "status", "status": 401}, 77, "refuses the login of accounting"),
    ({"kind": "status", "status": 403}, 77, "refuses the login of accounting"),
    ({"kind": "status", "status": 404}, 65, "is no identity service of version 3"),
    ({"kind": "status", "status": 500}, 69, "answered 500"),
    ({"kind": "html", "status": 200}, 65, "something that cannot be used"),
    ({"kind": "empty_body"}, 65, "something that cannot be used"),
    ({"kind": "truncated", "honest": True}, 65, "something that cannot be used"),
    ({"kind": "redirect", "location": "http://localhost:1/elsewhere"}, 65, "something that cannot be used"),
    *PASSED_ON,
]
NOVA: List[Case] = [
    ({"kind": "status", "status": 401}, 77, "check the account and its secret"),
    ({"kind": "status", "status": 403}, 77, "check the rights of the account"),
    ({"kind": "html", "status": 200}, 65, "with text/html where JSON was due"),
    ({"kind": "empty_body"}, 65, "an empty body where JSON was due"),
    ({"kind": "truncated", "honest": True}, 65, "JSON that cannot be read"),
    ({"kind": "redirect", "location": "http://localhost:1/elsewhere"}, 65, "where we do not follow"),
    *PASSED_ON,
]
SILENT: Case = ({"kind": "slow", "seconds": 3}, 69, "did not answer within 1 s")
CUT_OFF: Case = ({"kind": "truncated"}, 65, "bytes before the end")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    settings = "page_size: 2\nlargest_answer: 2MB\ntimeout: 1s"
    with Box(tmp_path_factory.mktemp("cloud"), cloud_settings=settings) as running:
        begin(running)
        running.agent("accounting", "run")
        assert_truth(running)
        yield running


def ledger(box: Box) -> Any:
    """Return how far the cloud was listed, and every machine's state and end."""
    with sqlite3.connect(f"file:{box.state}/agent.db?mode=ro", uri=True) as connection:
        marks = connection.execute("SELECT name, as_of, full_as_of FROM scope").fetchall()
        lives = connection.execute('SELECT uuid, status, "end", missed FROM vm ORDER BY uuid').fetchall()
    return marks, lives


@pytest.mark.parametrize(
    ("place", "after", "cases"),
    [(LOGIN, 0, KEYSTONE), (LISTING, 0, [*NOVA, SILENT]), (LATER_PAGES, 1, [*NOVA[::2], CUT_OFF])],
    ids=["login", "first page", "later page"],
)
def test_an_answer_that_is_none(box: Box, place: str, after: int, cases: List[Case]) -> None:
    pass_time(box, DAY)  # a full listing is due, from whose absences something could be concluded
    marks, lives = ledger(box)
    for fault, code, words in cases:
        box.cloud.fault(**fault, path=place, count=None, after=after)
        failed(box.agent("accounting", "extract", check=False), code, words, f"127.0.0.1:{box.cloud.port}")
        box.cloud.clear_faults()
        assert ledger(box) == (marks, lives), f"{fault}: something was concluded from a listing that did not end"
    recovers(box)


@pytest.mark.parametrize("offset", [-61, 61])
def test_clocks_that_are_apart(box: Box, offset: int) -> None:
    now = pass_time(box)
    box.clock.set(now + offset)
    before = ledger(box)
    failed(
        box.agent("accounting", "run", check=False),
        75,
        utc(now),
        utc(now + offset),
        "they are 61 s apart, so no record is made",
        "chronyc",
    )
    assert ledger(box) == before
    box.clock.set(now)
    recovers(box)
