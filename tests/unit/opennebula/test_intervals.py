"""When a machine ran: the recorded lives of three releases, and the traps that no recording holds."""

from __future__ import annotations

from typing import Any, List, Optional

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED
from fedcloud_plugins.opennebula.history import needs_history
from fedcloud_plugins.opennebula.intervals import BACKWARDS, CUT_HISTORY, FROM_THE_FUTURE, UNTIMED, UNTOLD_STOP
from fedcloud_plugins.opennebula.row import Form
from tests.unit.opennebula.elements import DATA, START, Story, machine, ran, refused, row, stories, story_row, told

LOOKED = 100
RELEASES = ("6.10.5", "5.12.0.4", "5.4.15")


def expected(release: str) -> List[str]:
    return (DATA / f"ran-{release}.txt").read_text().splitlines()


def offset(instant: Optional[int]) -> str:
    return "-" if instant is None else str(instant - START)


def described(story: Story, form: Form) -> str:
    found = machine(story_row(story, form), None, LOOKED)
    bound = " | upper bound" if UNTOLD_STOP in told(story_row(story, form), None, LOOKED) else ""
    text = f"{story.id} {found.cloud_status} {found.status} {offset(found.start)} {offset(found.end)} | {ran(found)}"
    return text.rstrip() + bound


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_lives_at_first_sight(release: str) -> None:
    assert [described(story, Form.FULL) for story in stories(release)] == expected(release)


@pytest.mark.parametrize("release", RELEASES)
def test_the_last_record_alone_says_the_same_where_it_is_the_only_one(release: str) -> None:
    for story, line in zip(stories(release), expected(release)):
        short = story_row(story, Form.LAST)
        if not needs_history(short, None):
            assert described(story, Form.LAST) == line
        else:
            stopped_untold = story.state in (5, 8) and not story.records[-1]["RETIME"]
            assert len(story.records) > 1 or stopped_untold


@pytest.mark.parametrize("release", RELEASES)
def test_a_second_look_changes_nothing(release: str) -> None:
    for story in stories(release):
        once = machine(story_row(story), None, LOOKED)
        for form in Form:
            assert not needs_history(story_row(story, form), once) or story.lcm == 4
            again = machine(story_row(story, Form.FULL if story.lcm == 4 else form), once, LOOKED + 50)
            assert again._replace(public_ips=once.public_ips) == once


# one record: (state, lcm, record, end of the machine), and when it ran
@pytest.mark.parametrize(
    ("state", "lcm", "records", "etime", "ran_then"),
    [
        (8, 0, [{"STIME": 5, "RETIME": 20}], None, ""),
        (6, 0, [{"STIME": 5, "RSTIME": 5, "ETIME": 20}], 30, "5-20"),
        (6, 0, [{"STIME": 5, "RSTIME": 5}], 30, "5-30"),
        (6, 0, [{"STIME": 5, "RSTIME": 5, "ESTIME": 18, "ETIME": 20}], 30, "5-18"),
        (6, 0, [{"STIME": 5, "RSTIME": 5, "RETIME": 40}], 30, "5-30"),
        # open in the middle
        (3, 3, [{"STIME": 5, "RSTIME": 5}, {"STIME": 20, "RSTIME": 21}], None, "5-20 21-"),
        (3, 3, [{"STIME": 5, "RSTIME": 5}, {"STIME": 20, "RETIME": 30}, {"STIME": 40, "RSTIME": 40}], None, "5-"),
        # overlapping
        (3, 3, [{"STIME": 5, "RSTIME": 5, "RETIME": 21}, {"STIME": 18, "RSTIME": 18}], None, "5-"),
        (8, 0, [{"STIME": 5, "RSTIME": 5, "RETIME": 21}, {"STIME": 9, "RSTIME": 9, "RETIME": 12}], None, "5-21"),
        # a guest that is off while something is done to its disk
        (3, 27, [{"STIME": 5, "RSTIME": 5, "RETIME": 9}], None, "5-9"),
        (3, 27, [{"STIME": 5, "RSTIME": 5}], None, "5-100"),
        (3, 26, [{"STIME": 5, "RSTIME": 5}], None, "5-"),
        # a state of the life cycle that we do not know
        (3, 99, [{"STIME": 5, "RSTIME": 5}], None, "5-"),
        # failed, as early releases had it
        (7, 0, [{"STIME": 5, "RSTIME": 5, "RETIME": 9, "ETIME": 10}], 10, "5-9"),
        # records in the wrong order
        (3, 3, [{"SEQ": 1, "STIME": 20, "RSTIME": 20}, {"STIME": 5, "RSTIME": 5, "RETIME": 9, "SEQ": 0}], None,
         "5-9 20-"),
        # begun before it was submitted, as imported machines are
        (3, 3, [{"STIME": -50, "RSTIME": -50}], None, "0-"),
    ],
)  # fmt: skip
def test_traps(state: int, lcm: int, records: Any, etime: Optional[int], ran_then: str) -> None:
    assert ran(machine(row(state, lcm, records, etime=etime), None, LOOKED)) == ran_then


def test_what_ends_before_it_begins_counts_as_nothing_and_is_told() -> None:
    given = row(6, 0, [{"STIME": 50, "RSTIME": 50, "RETIME": 20}], etime=60)
    assert ran(machine(given)) == ""
    assert machine(given).start == START
    assert BACKWARDS in told(given)


def test_what_lies_in_the_future_is_cut_off_and_told() -> None:
    far = 40 * 86400
    given = row(8, 0, [{"STIME": 5, "RSTIME": 5, "RETIME": far}])
    assert ran(machine(given, None, LOOKED)) == "5-100"
    assert FROM_THE_FUTURE in told(given, None, LOOKED)
    ended = row(6, 0, [{"STIME": 5, "RSTIME": 5, "RETIME": 50}], etime=far)
    assert machine(ended, None, LOOKED).end == START + LOOKED
    assert FROM_THE_FUTURE in told(ended, None, LOOKED)


def test_an_answer_is_newer_than_the_listing_that_asked_for_it() -> None:
    assert ran(machine(row(8, 0, [{"STIME": 5, "RSTIME": 5, "RETIME": 140}]), None, LOOKED)) == "5-140"


def test_the_last_sample_tells_when_a_stopped_guest_was_last_seen() -> None:
    stopped = [{"STIME": 5, "RSTIME": 5}]
    assert ran(machine(row(8, 0, stopped, LAST_POLL=START + 40), None, LOOKED)) == "5-40"
    assert ran(machine(row(8, 0, stopped, LAST_POLL=START + 400), None, LOOKED)) == "5-100"
    running = machine(row(3, 3, stopped), None, 60)
    # what was published up to the last look stands, so an older sample says nothing
    assert ran(machine(row(8, 0, stopped, LAST_POLL=START + 40), running, LOOKED)) == "5-100"


def test_the_stop_that_was_seen_stands_when_its_record_claims_more() -> None:
    running = machine(row(3, 3, [{"STIME": 5, "RSTIME": 5}]), None, 10)
    off = machine(row(8, 0, [{"STIME": 5, "RSTIME": 5}]), running, 20)
    assert (off.status, ran(off)) == (SUSPENDED, "5-20")
    resumed = [{"STIME": 5, "RSTIME": 5, "RETIME": 53, "ETIME": 53, "ACTION": 19}, {"STIME": 50, "RSTIME": 50}]
    assert needs_history(row(3, 3, resumed, form=Form.LAST), off)
    again = machine(row(3, 3, resumed), off, 60)
    assert (again.status, ran(again)) == (STARTED, "5-20 50-")
    gone = machine(row(6, 0, [{"STIME": 5, "RSTIME": 5, "ESTIME": 90, "ETIME": 90}], etime=90), off, 100)
    assert (gone.status, ran(gone)) == (COMPLETED, "5-20")


def test_a_purged_history_takes_nothing_away() -> None:
    records = [
        {"STIME": 5, "RSTIME": 5, "RETIME": 10},
        {"STIME": 20, "RSTIME": 20, "RETIME": 30},
        {"STIME": 40, "RSTIME": 40},
    ]
    known = machine(row(3, 3, records), None, 50)
    kept = [{**record, "SEQ": number} for number, record in enumerate(records[1:])]
    assert not needs_history(row(3, 3, kept, form=Form.LAST), known)
    for form in (Form.LAST, Form.FULL):
        assert ran(machine(row(3, 3, kept, form=form), known, 60)) == "5-10 20-30 40-"
    # purged after two more records than were known
    later = [{"STIME": 70, "RSTIME": 72, "RETIME": 80}, {"STIME": 90, "RSTIME": 90, "HID": 1}]
    assert needs_history(row(3, 3, later, form=Form.LAST), known)
    assert ran(machine(row(3, 3, later), known, 95)) == "5-10 20-30 40-70 72-80 90-"
    assert CUT_HISTORY in told(row(3, 3, later), known, 95)


def test_a_boot_that_failed_and_was_repeated() -> None:
    failed = machine(row(3, 36, [{"STIME": 5, "RSTIME": 5, "RETIME": 9}]), None, 10)
    assert ran(failed) == "5-9"
    again = row(3, 3, [{"STIME": 5, "RSTIME": 5}], form=Form.LAST)
    assert not needs_history(again, failed)
    assert ran(machine(again, failed, 30)) == "5-"


def test_a_restart_of_an_unknown_guest_moves_the_begin_of_its_record() -> None:
    known = machine(row(3, 16, [{"STIME": 5, "RSTIME": 5}]), None, 20)
    assert ran(machine(row(3, 3, [{"STIME": 5, "RSTIME": 30}], form=Form.LAST), known, 40)) == "5-"


def test_a_record_is_read_again_while_an_earlier_one_is_open() -> None:
    moving = [{"STIME": 5, "RSTIME": 5}, {"STIME": 20, "HID": 1}]
    known = machine(row(3, 4, moving), None, 21)
    assert needs_history(row(3, 4, moving, form=Form.LAST), known)
    failed = [{"STIME": 5, "RSTIME": 5, "RETIME": 24, "ETIME": 24}, {"STIME": 20, "HID": 1, "ETIME": 24}]
    assert ran(machine(row(8, 0, failed), known, 40)) == "5-24"


def test_a_machine_that_is_over_is_never_read_again() -> None:
    records = [{"STIME": 5, "RSTIME": 5, "RETIME": 9}, {"STIME": 20, "RSTIME": 20, "RETIME": 30, "ETIME": 30}]
    done = row(6, 0, records, etime=30)
    assert needs_history(done._replace(form=Form.LAST), None)
    known = machine(done)
    for form in Form:
        assert not needs_history(row(6, 0, records, etime=30, form=form), known)


def test_a_failed_machine_may_be_submitted_again() -> None:
    known = machine(row(7, 14, [{"STIME": 5, "RSTIME": 5, "RETIME": 9, "ETIME": 10}], etime=10))
    assert known.end == START + 10
    records = [{"STIME": 5, "RSTIME": 5, "RETIME": 9, "ETIME": 10}, {"STIME": 50, "RSTIME": 50}]
    assert needs_history(row(3, 3, records, form=Form.LAST), known)
    again = machine(row(3, 3, records), known)
    assert (again.status, again.end, ran(again)) == (STARTED, None, "5-9 50-")


def test_without_times_what_is_known_goes_on() -> None:
    records = [{"STIME": 5, "RSTIME": 5}]
    known = machine(row(3, 3, records), None, 10)
    short = row(3, 3, records, form=Form.SHORT)
    assert not needs_history(short, known)
    assert ran(machine(short, known, 20)) == "5-"
    assert UNTIMED not in told(short, known)

    off = row(8, 0, records, form=Form.SHORT)
    assert needs_history(off, known)
    seen = machine(off, known, 20)
    assert (seen.status, ran(seen)) == (SUSPENDED, "5-20")
    assert UNTIMED in told(off, known, 20)
    resumed = [{"STIME": 5, "RSTIME": 5, "RETIME": 15, "ACTION": 19}, {"STIME": 40, "RSTIME": 41}]
    guessed = machine(row(3, 3, resumed, form=Form.SHORT), seen, 50)
    assert ran(guessed) == "5-20 50-"
    # once its history can be read again, that is told better
    assert ran(machine(row(3, 3, resumed), guessed, 60)) == "5-20 41-"
    assert ran(machine(row(6, 0, resumed, etime=70, form=Form.SHORT), guessed, 80)) == "5-20 50-70"
    # a machine that moved on while it ran is told in full
    moved = [{"STIME": 5, "RSTIME": 5, "RETIME": 15}, {"STIME": 18, "RSTIME": 18, "HID": 1}]
    guessed = machine(row(3, 3, moved, form=Form.SHORT), known, 20)
    assert ran(guessed) == "5-"
    assert ran(machine(row(3, 3, moved), guessed, 30)) == "5-15 18-"


def test_without_times_nothing_is_made_up_of_an_unknown_machine() -> None:
    assert "history" in refused(row(3, 3, [{"STIME": 5, "RSTIME": 5}], form=Form.SHORT))
    assert machine(row(1, 0, form=Form.SHORT)).start is None
    # nor of one whose earlier records were not read
    assert "history" in refused(row(3, 3, [{}, {"STIME": 5, "RSTIME": 5}], form=Form.LAST))


def test_a_history_that_disappeared() -> None:
    known = machine(row(3, 3, [{"STIME": 5, "RSTIME": 5}]), None, 10)
    assert "no history" in refused(row(3, 3), known)
    gone = machine(row(6, 0, etime=30), known, 40)
    assert (gone.end, ran(gone)) == (START + 30, "5-30")
