"""What one listing leaves for the next."""

from __future__ import annotations

from typing import Optional

import pytest

from fedcloud_plugins.opennebula.mark import Mark, Sketch, mark_of, written
from fedcloud_plugins.opennebula.row import Form, Row


def row(number: int, stime: int = 1000, state: int = 3) -> Row:
    return Row(
        number, stime, 0, state, 3, 2, 100, "u", "g", "n", 0, 1, 1, (), {}, (), None, {}, None, (), Form.LAST, ()
    )


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = Mark(70_000, 1_795_000_000, (10, 500), (7,))
    assert mark_of(written(mark)) == mark
    assert written(mark).isascii()


@pytest.mark.parametrize(
    "text", [None, "", "null", "[]", "[2,1,1,[],[]]", '[1,"a",1,[],[]]', "[1,1,1,[1.5],[]]", "[1,-9,1,[],[]]", "{"]
)
def test_a_mark_that_is_none_means_that_everything_is_listed(text: Optional[str]) -> None:
    assert mark_of(text) is None


def test_cuts_hold_a_window_of_living_machines_each() -> None:
    sketch = Sketch(3)
    sketch.see([row(number, 1000 + number, 6 if number % 2 else 3) for number in range(20)])
    sketch.see([row(40)])
    mark = sketch.mark([5])
    assert mark == Mark(40, 1019, (4, 10, 16), (5,))
    assert mark.ends == [4, 10, 16, 40]


def test_nothing_seen_leaves_nothing_to_list() -> None:
    assert Sketch(500).mark([]).ends == []
    before = Mark(70, 9, (60,))
    assert Sketch(500, before).mark([]) == Mark(70, 9, ())


def test_an_id_that_was_given_before_and_is_given_again_later_is_denied() -> None:
    mark = Mark(70, 5000)
    assert mark.denies(row(3, 5001))
    assert not mark.denies(row(3, 5000))
    assert not mark.denies(row(71, 9000))
