"""What readers say to answers: nothing to a whole tree, and something to every one that is not."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Sequence

import pytest

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import Entry
from tests.federation.top.judgement import (
    DANGLING,
    EMPTY,
    ORPHAN,
    PARTIAL,
    TOO_MUCH,
    TWICE,
    Complaint,
    Expectation,
    below,
    judge,
    whole,
)
from tests.federation.top.report import Found, Report
from tests.unit.infosys.world import NOW, SITE, site

BASE = f"GLUE2DomainID={SITE},o=glue"
TREE = [entry for entry in glue20.entries(site(), NOW) if below(entry.dn, BASE)]
EXPECTED = whole(TREE, BASE)


def kinds(entries: Sequence[Entry], expected: Expectation = EXPECTED) -> List[str]:
    return sorted({one.kind for one in judge(entries, expected)})


def without(*classes: str) -> List[Entry]:
    return [entry for entry in TREE if not set(classes) & set(entry.classes)]


def test_nothing_is_wrong_with_a_whole_tree_in_any_order() -> None:
    assert judge(TREE, EXPECTED) == [] and judge(TREE[::-1], EXPECTED) == []
    assert EXPECTED.least == EXPECTED.most == len(TREE) == len(EXPECTED.required)


def test_an_empty_answer_is_empty() -> None:
    assert kinds([]) == [EMPTY]


def test_half_a_tree_is_partial_even_where_it_hangs_together() -> None:
    assert kinds(without("GLUE2ApplicationEnvironment")) == [PARTIAL]
    assert kinds(TREE[: len(TREE) // 2], Expectation(BASE, least=len(TREE))) == [PARTIAL]
    assert kinds(TREE[1:], Expectation(BASE)) == sorted([ORPHAN, PARTIAL, DANGLING])


def test_a_branch_must_have_what_was_asked_for() -> None:
    branch = next(entry.dn for entry in TREE if "GLUE2ComputingService" in entry.classes)
    size = sum(below(entry.dn, branch) for entry in TREE)
    assert kinds(TREE, Expectation(BASE, branches={branch: size})) == []
    assert kinds(without("GLUE2ApplicationEnvironment"), Expectation(BASE, branches={branch: size})) == [PARTIAL]


def test_a_key_that_leads_nowhere_dangles() -> None:
    complaints = judge(without("GLUE2ExecutionEnvironment"), Expectation(BASE))
    assert {one.kind for one in complaints} == {DANGLING} and "GLUE2ResourceID" in complaints[0].text


def test_an_entry_without_its_parent_is_an_orphan() -> None:
    services = [entry for entry in TREE if "GLUE2ComputingService" not in entry.classes]
    assert ORPHAN in kinds(services, replace(Expectation(BASE), rules=frozenset()))


def test_more_than_can_be_there_and_the_same_twice() -> None:
    assert kinds(TREE, replace(EXPECTED, most=len(TREE) - 1)) == [TOO_MUCH]
    assert kinds([*TREE, TREE[-1]]) == [TWICE]


def test_what_may_go_and_what_may_come_is_no_complaint() -> None:
    images = frozenset(entry.dn for entry in TREE if "GLUE2ApplicationEnvironment" in entry.classes)
    expected = whole(TREE, BASE, leaving=images, coming=2)
    assert kinds(without("GLUE2ApplicationEnvironment"), expected) == [] and kinds(TREE, expected) == []
    assert expected.most == len(TREE) + 2


def test_findings_of_several_readers_add_up() -> None:
    one, other = Found(refused=1), Found()
    one.took(3, 0.5)
    one.complain([Complaint(EMPTY, "x")])
    other.took(1, 0.1)
    other.complain([Complaint(EMPTY, "x"), Complaint(PARTIAL, "y")])
    both = Found().with_other(one).with_other(other)
    assert (both.answers, both.least, both.most, both.slowest, both.refused) == (2, 1, 3, 0.5, 1)
    assert both.complaints == {Complaint(EMPTY, "x"): 2, Complaint(PARTIAL, "y"): 1}
    report = Report(both, 1.0, [0.5, 0.25])
    assert report.kinds == {EMPTY: 2, PARTIAL: 1} and report.longest == 0.5
    assert "2 times: empty: x" in str(report) and "0.750 s in all" in str(report)


@pytest.mark.parametrize(
    ("found", "gaps", "wrong"),
    [
        (Found(answers=5), [], False),
        (Found(answers=5), [0.1], False),
        (Found(answers=4), [], True),
        (Found(answers=5), [0.3], True),
        (Found(answers=5, complaints={Complaint(EMPTY, "x"): 1}), [], True),
    ],
)
def test_a_report_is_good_when_enough_was_looked_at_and_nothing_was_wrong(
    found: Found, gaps: List[float], wrong: bool
) -> None:
    report = Report(found, 1.0, gaps)
    if wrong:
        with pytest.raises(AssertionError, match="answers"):
            report.demand(5, longest=0.2)
    else:
        report.demand(5, longest=0.2)
