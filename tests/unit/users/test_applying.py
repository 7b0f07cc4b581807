"""Whatever happens to the population, to the cloud and to us: the accounts end up as the rules say."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcloud_agent.errors import RefusedError, UnreachableError
from fedcloud_agent.users.applying import apply
from fedcloud_agent.users.ownership import DELETED, OWNED, Ownership
from fedcloud_agent.users.policy import Policy
from fedcloud_agent.users.population import ACTIVE, SUSPENDED, Membership, Person
from fedcloud_agent.users.steps import Plan, Step
from tests.unit.users.world import DAY, Killed, Memory, World, dn, person

RULES = Policy(on_missing="delete")


class Cut(Memory):
    """Books that we may be killed before or after."""

    left: Optional[int] = None

    def _step(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1

    def begin(self, step: Step, row: Optional[Ownership]) -> int:
        self._step()
        entry = super().begin(step, row)
        self._step()
        return entry

    def end(self, entry: int, row: Optional[Ownership], error: Optional[str]) -> None:
        self._step()
        super().end(entry, row, error)
        self._step()

    def note(self, row: Ownership) -> None:
        super().note(row)


def story() -> List[Tuple[int, List[Person]]]:
    """Return lists with the days between them: everything that can happen to an account happens."""
    crowd = [person(n) for n in range(20, 30)]
    banned = person(2, memberships=(Membership("vo.a", SUSPENDED, "facility-ban"),))
    return [
        (0, [person(1), person(2), person(3), *crowd]),
        (1, [person(1, subjects=(dn("new"),)), banned, person(4, "vo.a", "vo.b"), *crowd]),
        (32, [person(1, mail="x@example.org"), person(2), person(4, "vo.b"), *crowd]),
        (2, [person(1), person(2), person(4, "vo.a", "vo.b"), *crowd]),
        (1, [person(1), person(2), person(3), person(4, "vo.a", "vo.b"), *crowd]),
    ]


MANY = 1_000_000


def live(world: World, books: Cut, place: Optional[int] = None, *, of_cloud: bool = True) -> int:
    """Live through the story, killed once at a place, and go on with the same list; return how many places passed."""
    world.books = books
    world.cloud.steps_left, books.left = (MANY if place is None else place, None) if of_cloud else (None, place or MANY)
    for days, persons in story():
        world.now += days * DAY
        try:
            world.sync(*persons)
        except Killed:
            world.cloud.steps_left = books.left = None
            world.sync(*persons)
    left = world.cloud.steps_left if of_cloud else books.left
    return -1 if left is None else MANY - left


def picture(world: World) -> Dict[str, Any]:
    """Return what there is, but for ids and instants."""
    return {
        "accounts": {a.name: (a.active, a.content, a.mark) for a in world.cloud.by_id.values()},
        "rows": {r.name: (r.state, r.person, r.mark, r.missing_since is None) for r in world.books.rows("main")},
    }


@pytest.mark.parametrize("of_cloud", [True, False])
def test_killed_at_any_step_the_next_run_makes_up_for_it(of_cloud: bool) -> None:
    whole = World(rules=RULES)
    places = live(whole, Cut(), of_cloud=of_cloud)
    assert places > 50
    expected = picture(whole)
    assert {row[0] for row in expected["rows"].values()} == {OWNED}
    for place in range(1, places):
        world = World(rules=RULES)
        assert live(world, Cut(), place, of_cloud=of_cloud) == -1
        assert picture(world) == expected, place
        assert len(world.cloud.by_id) == len({a.name for a in world.cloud.by_id.values()})


def test_a_cloud_that_does_not_answer_ends_the_run() -> None:
    world = World()
    world.cloud.errors["vo.a_1002"] = UnreachableError("no answer")
    plan = world.plan(person(1), person(2), person(3))
    with pytest.raises(UnreachableError):
        apply(plan, world.cloud, world.books)
    assert world.active() == ["vo.a_1001"]
    assert [(step.name, error, ended) for step, error, ended in world.books.journal] == [
        ("vo.a_1001", None, True),
        ("vo.a_1002", "no answer", True),
    ]


def test_an_account_that_owns_something_is_not_deleted() -> None:
    world = World(rules=RULES)
    crowd = [person(n) for n in range(20, 30)]
    world.sync(person(1), *crowd)
    world.sync(*crowd)
    world.cloud.errors["vo.a_1001"] = RefusedError("it owns 2 virtual machines")
    for days in (31, 2):
        world.now += days * DAY
        _, applied = world.sync(*crowd)
    assert [str(error) for _, error in applied.failed] == ["it owns 2 virtual machines"]
    assert world.suspended() == ["vo.a_1001"]
    world.cloud.errors.clear()
    world.sync(person(1), *crowd)
    assert not world.suspended() and world.row("vo.a_1001").state == OWNED
    world.sync(*crowd)
    for days in (31, 2):
        world.now += days * DAY
        world.sync(*crowd)
    assert world.row("vo.a_1001").state == DELETED


@st.composite
def anybody(draw: st.DrawFn, number: int) -> Person:
    vos = draw(st.sets(st.sampled_from(["vo.a", "vo.b"]), min_size=1))
    states = st.sampled_from(
        [(ACTIVE, "valid")] * 4
        + [(SUSPENDED, "expired"), (SUSPENDED, "facility-ban"), ("absent", "invalid"), ("held", "unknown-status")]
    )
    return person(
        number,
        memberships=tuple(Membership(vo, *draw(states)) for vo in sorted(vos)),
        subjects=tuple(dn(name) for name in draw(st.lists(st.sampled_from([number, f"{number}b", "x"]), max_size=2))),
        uid=draw(st.sampled_from([str(1000 + number)] * 5 + [None, "1001", str(2000 + number)])),
        mail=draw(st.sampled_from(["a@example.org", "b@example.org", None])),
    )


populations = st.lists(
    st.sets(st.integers(1, 8)).flatmap(lambda numbers: st.tuples(*(anybody(n) for n in sorted(numbers)))),
    min_size=1,
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(
    populations,
    st.lists(st.integers(0, 40), min_size=6, max_size=6),
    st.sets(st.sampled_from(["vo.a_1001", "vo.b_1002", "oneadmin"])),
    st.lists(st.none() | st.integers(0, 12), min_size=6, max_size=6),
    st.booleans(),
)
def test_random_lives(
    lists: List[Tuple[Person, ...]], days: List[int], foreign: Set[str], kills: List[Optional[int]], confirm: bool
) -> None:
    world = World(rules=RULES)
    strangers = {world.cloud.add(name).id for name in sorted(foreign)}
    untouched = {id: world.cloud.by_id[id] for id in strangers}
    for persons, pause, kill in zip(lists, days, kills):
        world.now += pause * DAY
        active_before = {a.name for a in world.cloud.by_id.values() if a.active and a.id not in strangers}
        world.cloud.steps_left = kill
        try:
            world.sync(*persons, confirm=confirm)
        except Killed:
            world.cloud.steps_left = None
            world.sync(*persons, confirm=confirm)
        world.cloud.steps_left = None
        assert {id: world.cloud.by_id.get(id) for id in strangers} == untouched
        # nobody was deleted who was active before this list
        assert active_before <= {a.name for a in world.cloud.by_id.values()}
        # a second run has nothing to do but what the guard holds
        again = world.plan(*persons)
        assert again.due() == (), again.due()
        rows = {row.account: row for row in world.books.rows("main") if row.account}
        by_person = {(m.vo, p.id): m for p in persons for m in p.memberships}
        for account in world.cloud.by_id.values():
            if account.id in strangers:
                continue
            row = rows[account.id]
            assert account.mark == row.mark and row.state == OWNED
            told = by_person.get((row.vo, row.person))
            if told is not None and told.reason == "facility-ban":
                assert not account.active
        check_by_the_rules(world, persons, again)


def check_by_the_rules(world: World, persons: Sequence[Person], plan: Plan) -> None:
    """Say in the plainest way what there should be; who is held is left to the tests of holding."""
    accounts = {row.account: row for row in world.books.rows("main") if row.account is not None}
    ours = {(row.vo, row.person): world.cloud.by_id[id] for id, row in accounts.items() if id in world.cloud.by_id}
    unjudged = {(step.vo, step.person) for step in plan.steps if step.action == "hold" or step.guarded}
    told = {(m.vo, p.id): (m, p) for p in persons for m in p.memberships}
    for place, account in ours.items():
        if place not in unjudged and (place not in told or told[place][0].state != ACTIVE):
            assert not account.active, place
    for place, (one, who) in told.items():
        if place in unjudged or one.state != ACTIVE:
            continue
        others = {subject for p in persons if p.id != who.id for subject in p.subjects}
        newest_last = [s for n, s in enumerate(who.subjects) if s not in who.subjects[n + 1 :] and s not in others]
        assert ours[place].active and list(ours[place].content.subjects) == newest_last
        assert ours[place].content.mail == who.mail or who.mail is None
