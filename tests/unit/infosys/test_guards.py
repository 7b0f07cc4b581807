from __future__ import annotations

from dataclasses import replace

from fedcloud_agent.clouds.offer import Image
from fedcloud_agent.infosys.guards import doubts
from tests.unit.infosys.world import OFFER

MANY = replace(OFFER, images=tuple(Image(str(number)) for number in range(10)))


def test_what_grows_or_changes_a_little_is_believed() -> None:
    assert doubts(OFFER, replace(OFFER, images=(*OFFER.images, *MANY.images)), 50) == ()
    assert doubts(MANY, replace(MANY, images=MANY.images[:5]), 50) == ()
    assert doubts(replace(MANY, images=()), MANY, 50) == ()
    assert doubts(OFFER, OFFER, 1) == ()


def test_more_than_the_largest_loss_is_doubted() -> None:
    assert doubts(MANY, replace(MANY, images=MANY.images[:4]), 50) == ("6 of 10 images are gone at once",)
    assert doubts(MANY, replace(MANY, images=MANY.images[:4]), 60) == ()


def test_nothing_left_is_always_doubted() -> None:
    empty = replace(OFFER, endpoints=(), shares=(), instance_types=(), images=())
    assert doubts(OFFER, empty, 100) == (
        "1 of 1 endpoints are gone at once",
        "2 of 2 shares are gone at once",
        "2 of 2 instance types are gone at once",
        "3 of 3 images are gone at once",
    )


def test_of_a_few_things_most_may_go() -> None:
    assert doubts(OFFER, replace(OFFER, images=OFFER.images[:1], shares=OFFER.shares[:1]), 50) == ()
