from __future__ import annotations

import random
from typing import List, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.outbox.flight import Flight


def flight(*ids: str, window: int = 64) -> Flight:
    made = Flight(window)
    for id in ids:
        made.add(id, id.encode())
    return made


def send(made: Flight, at: float = 0.0) -> List[str]:
    due = made.due()
    for message in due:
        message.sent = at
    return [message.id for message in due]


def test_each_is_sent_once_and_in_order() -> None:
    made = flight("a", "b", "c")
    assert send(made) == ["a", "b", "c"]
    assert send(made) == []
    made.add("d", b"")
    assert send(made) == ["d"]


def test_the_window_bounds_what_is_unanswered() -> None:
    made = flight("a", "b", window=2)
    assert not made.has_room()
    assert made.settle("b")
    assert made.has_room()
    assert not made.settle("b")


def test_what_flies_has_its_size() -> None:
    made = flight("abc")
    assert (made.size("abc"), made.size("d")) == (3, 0)


def test_the_same_message_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="already under way"):
        flight("a", "a")


def test_after_one_cut_all_go_again() -> None:
    made = flight("a", "b", "c")
    send(made)
    made.settle("a")
    assert made.cut() is None
    assert send(made) == ["b", "c"]


def test_after_repeated_cuts_they_go_one_at_a_time_until_the_cause_is_found() -> None:
    made = flight("a", "b", "c")
    for _ in range(2):
        send(made)
        assert made.cut() is None
    assert not made.has_room()
    assert send(made) == ["a"]
    assert made.settle("a")
    assert send(made) == ["b"]
    assert made.cut() is None
    assert send(made) == ["b"]
    culprit = made.cut()
    assert culprit is not None
    assert culprit.id == "b"
    made.settle("b")
    assert send(made) == ["c"]
    made.settle("c")
    assert made.has_room()


def test_a_cut_of_an_idle_connection_says_nothing() -> None:
    made = flight("a")
    for _ in range(5):
        assert made.cut() is None
    assert send(made) == ["a"]


def test_acquitted_messages_travel_together_again() -> None:
    made = flight("a", "b")
    for _ in range(4):
        send(made)
        made.cut()
    made.acquit()
    assert send(made) == ["a", "b"]
    assert made.cut() is None


def test_recall_blames_nobody() -> None:
    made = flight("a", "b")
    for _ in range(9):
        send(made)
        made.recall()
    assert send(made) == ["a", "b"]


def test_the_oldest_sets_the_time_of_waiting() -> None:
    made = flight("a", "b")
    assert made.oldest() is None
    send(made, 5.0)
    made.add("c", b"")
    send(made, 9.0)
    assert made.oldest() == 5.0
    made.settle("a")
    made.settle("b")
    assert made.oldest() == 9.0


@given(st.integers(1, 8), st.integers(0, 30), st.sets(st.integers(0, 29)), st.integers())
def test_a_broker_that_cannot_take_some_messages_takes_all_others(
    window: int, count: int, poisonous: Set[int], seed: int
) -> None:
    """Whatever receipts are lost in a cut, exactly the messages that cause cuts are found guilty."""
    chance = random.Random(seed)
    made = Flight(window)
    waiting = [str(n) for n in range(count)]
    poison = {str(n) for n in poisonous}
    taken: List[str] = []
    guilty: List[str] = []
    for _ in range(2000):
        while waiting and made.has_room():
            id = waiting.pop(0)
            made.add(id, b"")
        if not made:
            break
        cut = False
        for id in send(made):
            if id in poison:
                cut = True
                break
            if chance.randrange(4):
                taken.append(id)
                made.settle(id)
            else:
                cut = True  # the receipt was lost together with the connection
                break
        if cut:
            culprit = made.cut()
            if culprit is not None and culprit.id in poison:
                guilty.append(culprit.id)
                made.settle(culprit.id)
            elif culprit is not None:
                made.acquit()
    assert not made
    assert set(guilty) == poison & {str(n) for n in range(count)}
    assert set(taken) == {str(n) for n in range(count)} - poison
