"""What is believed of a cloud: its answer, unless it cannot be true; else what was seen last."""

from __future__ import annotations

from dataclasses import replace

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.errors import UnreachableError
from fedcloud_agent.infosys.collection import look, missed
from tests.unit.infosys.world import OFFER, seen


def test_a_first_look_is_believed_and_a_good_one_takes_the_place_of_the_last() -> None:
    assert look(seen(), None, 50.0).seen == seen()
    failed = replace(seen(), failures=3)
    after = look(seen(as_of=OFFER.as_of + 5), failed, 50.0)
    assert after.failure is None and after.seen is not None
    assert after.seen.failures == 0 and after.seen.offer.as_of == OFFER.as_of + 5


def test_half_of_it_gone_is_doubted_until_a_person_says_that_it_is_true() -> None:
    now = seen(images=())
    doubted = look(now, seen(), 50.0)
    assert doubted.failure is not None and doubted.failure.exit_code == 65
    assert "images are gone at once" in doubted.failure.message
    assert doubted.failure.hint is not None and "--accept-loss main" in doubted.failure.hint
    assert doubted.seen is not None and doubted.seen.offer == OFFER and doubted.seen.failures == 1
    assert look(now, doubted.seen, 50.0, accept=True).seen == now


def test_a_share_that_is_gone_while_the_cloud_has_problems_is_doubted() -> None:
    fewer = OFFER.shares[:1]
    assert look(seen(shares=fewer), seen(), 60.0).failure is None
    troubled = seen(shares=fewer, problems=(Problem("project p-vo", "it could not be asked"),))
    doubted = look(troubled, seen(), 60.0)
    assert doubted.failure is not None and "vo.example.org" in doubted.failure.message
    assert "project p-vo: it could not be asked" in doubted.failure.message
    assert look(seen(problems=troubled.offer.problems), seen(), 60.0).failure is None


def test_a_cloud_that_cannot_be_asked_keeps_what_was_seen() -> None:
    failure = UnreachableError("nobody answers")
    assert missed("main", None, failure).seen is None
    kept = missed("main", seen(), failure).seen
    assert kept is not None and kept.offer == OFFER and kept.failures == 1
