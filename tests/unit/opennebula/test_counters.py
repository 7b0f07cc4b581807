"""Network traffic over counters that begin anew."""

from __future__ import annotations

from typing import List, Optional, Tuple

from hypothesis import given
from hypothesis import strategies as st

from fedcloud_plugins.opennebula.counters import Traffic, advanced
from fedcloud_plugins.opennebula.mapping import Reading
from fedcloud_plugins.opennebula.row import Sample
from fedcloud_plugins.opennebula.trace import Counters, Spell
from tests.unit.opennebula.elements import START, Site, machine, reading, row

A, B = Spell(1, START), Spell(2, START + 100)
NOTHING = Traffic(None, None, Counters())


def after(*looks: Tuple[Spell, Optional[Tuple[int, int]]]) -> Tuple[Optional[int], Optional[int], int, int]:
    """Return the sums and the last counters after samples of START + 501, 502 ..."""
    traffic, then = NOTHING, None
    for at, (spell, counters) in enumerate(looks, START + 501):
        sample = None if counters is None else Sample(*counters, at)
        traffic, then = advanced(traffic, then, spell, sample), spell
    return traffic.inbound, traffic.outbound, traffic.last.received, traffic.last.sent


def test_counters_grow_and_begin_anew() -> None:
    assert after((A, (10, 20)), (A, (15, 20))) == (15, 20, 15, 20)
    # lower than before: the process is a new one
    assert after((A, (10, 20)), (A, (4, 30))) == (14, 30, 4, 30)
    # another host, or a gap: a new one too, even where it is higher
    assert after((A, (10, 20)), (B, (12, 25))) == (22, 45, 12, 25)


def test_zero_and_silence_say_nothing() -> None:
    assert after((A, (10, 20)), (A, (0, 0)), (A, (15, 0))) == (15, 20, 15, 20)
    assert after((A, (0, 0))) == after((A, None)) == (None, None, 0, 0)
    # the guest starts on another host: its counters are awaited, the old ones are forgotten
    assert after((A, (10, 20)), (B, (0, 0)), (B, (3, 4))) == (13, 24, 3, 4)


def test_a_sample_of_the_run_before_is_not_counted_again() -> None:
    before = Traffic(10, 20, Counters(10, 20, START + 98))
    traffic = advanced(before, A, B, Sample(10, 20, START + 99))
    assert traffic == Traffic(10, 20, Counters())
    assert advanced(traffic, B, B, Sample(5, 6, START + 101)) == Traffic(15, 26, Counters(5, 6, START + 101))


def test_answers_may_be_of_different_age() -> None:
    traffic = Traffic(10, 20, Counters(10, 20, START + 98))
    assert advanced(traffic, A, A, Sample(9, 19, START + 97)) == traffic
    # the same again is nothing new to write down
    assert advanced(traffic, A, A, Sample(10, 20, START + 99)) == traffic
    # where oned does not say when, the sample is the present one
    assert advanced(traffic, A, A, Sample(11, 20, None)) == Traffic(11, 20, Counters(11, 20, 0))


def test_a_guest_that_never_ran_has_no_traffic() -> None:
    assert advanced(NOTHING, None, None, Sample(5, 5, START)) == NOTHING


@given(st.lists(st.lists(st.integers(1, 10**9), min_size=1, max_size=5), min_size=1, max_size=6))
def test_the_sum_of_all_processes(processes: List[List[int]]) -> None:
    traffic, then = NOTHING, None
    for number, grown in enumerate(processes):
        spell, counter = Spell(0, START + number), 0
        for at, more in enumerate(grown, START + 1000):
            counter += more
            traffic, then = advanced(traffic, then, spell, Sample(counter, counter, at)), spell
    assert traffic.inbound == traffic.outbound == sum(map(sum, processes))


def test_along_a_life() -> None:
    def counters(received: int, sent: int) -> Reading:
        return reading(500, Site(samples={7: Sample(received, sent, START + 400 + sent)}))

    first = [{"STIME": 5, "RSTIME": 5}]
    known = machine(row(3, 3, first), None, counters(100, 1))
    assert (known.network_in, known.network_out) == (100, 1)
    # an attached disk makes a record, but the process stays
    attached = [{"STIME": 5, "RSTIME": 5, "RETIME": 50}, {"STIME": 50, "RSTIME": 50}]
    known = machine(row(3, 3, attached), known, counters(150, 2))
    assert (known.network_in, known.network_out) == (150, 2)
    # there and back again within one look
    away = [{"STIME": 60, "RSTIME": 60, "HID": 1, "RETIME": 70}, {"STIME": 70, "RSTIME": 70}]
    back = [*attached[:1], {**attached[1], "RETIME": 60}, *away]
    known = machine(row(3, 3, back), known, counters(160, 3))
    assert (known.network_in, known.network_out) == (310, 5)
    # switched off and on
    again = [*back[:-1], {**away[1], "RETIME": 80, "ETIME": 90}, {"STIME": 90, "RSTIME": 90}]
    known = machine(row(3, 3, again), known, counters(161, 4))
    assert (known.network_in, known.network_out) == (471, 9)
    known = machine(row(3, 3, again), known, counters(0, 0))
    assert (known.network_in, known.network_out) == (471, 9)
