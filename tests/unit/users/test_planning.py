"""Plans: a test of an edge case bears the case's number."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from fedcloud_agent.clouds.accounts import Mark
from fedcloud_agent.errors import RefusedError
from fedcloud_agent.users import steps
from fedcloud_agent.users.applying import apply
from fedcloud_agent.users.ownership import DELETED, OWNED
from fedcloud_agent.users.policy import Policy
from fedcloud_agent.users.population import Person, Population, membership
from tests.unit.users.world import DAY, SITE, World, actions, dn, events, person, state, step_of

DELETING = Policy(on_missing="delete")


def nine(*without: int) -> List[Person]:
    return [person(n) for n in range(1, 10) if n not in without]


def test_accounts_are_made_and_then_nothing_is_done() -> None:
    world = World()
    plan, applied = world.sync(person(1), person(2))
    assert actions(plan) == {"vo.a_1001": "create", "vo.a_1002": "create"}
    assert applied.changes == 2 and not applied.failed
    account = world.cloud.named("vo.a_1001")
    assert account.content.subjects == (dn(1),) and account.content.global_user == dn(1)
    assert account.content.group == "g-vo.a" and account.mark == Mark("perun", "uuid:1", "vo.a")
    world.cloud.calls.clear()
    plan, applied = world.sync(person(2), person(1))
    assert set(actions(plan).values()) == {"keep"} and applied.changes == 0 and world.cloud.calls == []


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        ("EXPIRED", {}, "expired"),
        ("VALID", {"group_status": "EXPIRED"}, "group-expired"),
        ("VALID", {"vo_banned": True}, "vo-ban"),
        ("VALID", {"facility_banned": True}, "facility-ban"),
        ("VALID", {"resource_banned": True}, "resource-ban"),
    ],
)
def test_who_may_not_use_it_is_suspended_and_comes_back(status: str, words: Dict[str, Any], reason: str) -> None:
    world = World()
    world.sync(person(1))
    plan, _ = world.sync(state(1, status=status, **words))
    step = step_of(plan, "vo.a_1001")
    assert (step.action, step.reason, step.guarded) == ("suspend", reason, False)
    assert world.suspended() == ["vo.a_1001"]
    assert set(actions(world.plan(state(1, status=status, **words))).values()) == {"keep"}
    plan, _ = world.sync(person(1))
    assert actions(plan) == {"vo.a_1001": "reactivate"} and world.active() == ["vo.a_1001"]


def test_no_account_is_made_for_who_may_not_use_it() -> None:
    world = World()
    plan = world.plan(state(1, status="EXPIRED"), state(2, status="INVALID"), state(3, status="DISABLED"))
    assert set(actions(plan).values()) == {"keep"}


def test_expired_accounts_may_be_kept() -> None:
    world = World(rules=Policy(on_expired="keep"))
    world.sync(person(1), person(2))
    plan = world.plan(state(1, status="EXPIRED"), state(2, facility_banned=True))
    assert actions(plan) == {"vo.a_1001": "keep", "vo.a_1002": "suspend"}


def test_the_content_of_a_suspended_account_is_kept_up_to_date() -> None:
    world = World()
    world.sync(person(1))
    world.sync(state(1, status="EXPIRED"))
    plan, _ = world.sync(state(1, status="EXPIRED")._replace(subjects=(dn("new"),)))
    assert actions(plan) == {"vo.a_1001": "update"}
    assert world.cloud.named("vo.a_1001").content.subjects == (dn("new"),) and world.suspended() == ["vo.a_1001"]


def test_edge_1_an_empty_list_is_held() -> None:
    world = World()
    world.sync(*nine())
    plan, applied = world.sync()
    assert plan.held and plan.guards[0][:3] == (SITE, "vo.a", 9) and plan.guards[0].listed == 0
    assert applied.changes == 0 and len(world.active()) == 9
    assert world.row("vo.a_1001").missing_since is None
    # confirmed, it is done; once
    plan, applied = world.sync(confirm=True)
    assert applied.done == {"suspend": 9} and not world.active()
    assert not world.plan().held


def test_a_single_member_is_held_too() -> None:
    world = World()
    world.sync(person(1))
    assert world.plan().held


@pytest.mark.parametrize(
    ("owned", "lost", "held"),
    [(2, 1, False), (9, 4, False), (9, 5, True), (12, 5, False), (12, 6, True), (80, 8, False), (80, 9, True)],
)
def test_the_guard_lets_few_go(owned: int, lost: int, held: bool) -> None:
    world = World()
    everybody = [person(n) for n in range(owned)]
    world.sync(*everybody)
    plan, applied = world.sync(*everybody[lost:])
    assert plan.held is held
    assert applied.done.get("suspend", 0) == (0 if held else lost)


def test_the_guard_holds_removals_only_and_of_its_vo_only() -> None:
    world = World()
    world.sync(*nine(), *(person(n, "vo.b") for n in range(20, 40)))
    banned = state(1, facility_banned=True)
    listed = [banned, person(50), *(person(n, "vo.b") for n in range(21, 40))]
    plan, applied = world.sync(*listed)
    assert [guard.vo for guard in plan.guards] == ["vo.a"]
    assert world.suspended() == ["vo.a_1001", "vo.b_1020"]
    assert "vo.a_1050" in world.active() and applied.done == {"suspend": 2, "create": 1}


def test_bans_bypass_the_guard() -> None:
    world = World()
    world.sync(*nine())
    plan, _ = world.sync(*(state(n, facility_banned=True) for n in range(1, 10)))
    assert not plan.held and not world.active()


def test_members_that_are_invalid_count_as_absent() -> None:
    world = World()
    world.sync(*nine())
    assert world.plan(*(state(n, status="INVALID") for n in range(1, 10))).held


def test_a_stale_confirmation_is_none() -> None:
    world = World()
    world.sync(*nine())
    old = world.plan()
    world.cloud.change("vo.a_1001", mail="other@example.org")
    new = world.plan()
    assert old.id != new.id and new.due(old.id) == () and len(new.due(new.id)) == 9
    assert world.plan().id == new.id
    world.now += DAY
    assert world.plan().id == new.id


def test_edge_12_who_moves_to_another_vo() -> None:
    world = World()
    world.sync(*nine())
    plan, _ = world.sync(person(1, "vo.b"), *nine(1))
    assert actions(plan)["vo.a_1001"] == "suspend" and actions(plan)["vo.b_1001"] == "create"
    assert step_of(plan, "vo.a_1001").removal


def test_edge_11_two_vos_of_a_person_are_two_accounts() -> None:
    world = World()
    world.sync(person(1, "vo.a", "vo.b"))
    first, second = world.cloud.named("vo.a_1001"), world.cloud.named("vo.b_1001")
    assert first.content.subjects == second.content.subjects and first.content.group != second.content.group


def test_edge_13_what_perun_does_not_tell_stays() -> None:
    world = World()
    world.sync(person(1))
    assert set(actions(world.plan(person(1, mail=None, name=None))).values()) == {"keep"}


def test_edge_15_all_certificates_gone() -> None:
    world = World()
    world.sync(person(1))
    plan, _ = world.sync(person(1, subjects=()), person(2, subjects=("/nonsense",)))
    assert actions(plan) == {"vo.a_1001": "hold", "vo.a_1002": "hold"}
    assert world.active() == ["vo.a_1001"]
    assert events(plan) == ["dn-rejected:unparsable", "no-usable-dn"]


def test_edge_16_one_name_of_two_authorities() -> None:
    world = World()
    plan, _ = world.sync(person(1, subjects=(dn(1), dn("old"), dn(1).lower().replace("/dc", "/DC"))))
    assert events(plan) == ["dn-duplicate-same-user"]
    assert len(world.cloud.named("vo.a_1001").content.subjects) == 2


@pytest.mark.parametrize("same", ["uid", "subjects"])
def test_edge_17_two_persons_became_one(same: str) -> None:
    world = World()
    world.sync(*nine())
    other = person(50, **{same: getattr(person(1), same)})
    plan, applied = world.sync(other, *nine(1))
    assert {s.action for s in plan.steps if s.reason == "persons-merged"} == {"hold"}
    assert len([s for s in plan.steps if s.reason == "persons-merged"]) == 2
    assert applied.changes == 0 and "persons-merged" in events(plan)


def test_a_format_that_names_people_otherwise_changes_nobody() -> None:
    world = World()
    world.sync(person(1, id="uid:1001"))
    plan, applied = world.sync(person(1))
    assert applied.changes == 0 and world.row("vo.a_1001").person == "uuid:1"
    assert set(actions(world.plan(person(1))).values()) == {"keep"}


def test_edge_18_an_account_that_was_deleted_by_hand_is_made_again() -> None:
    world = World()
    world.sync(person(1))
    del world.cloud.by_id["1"]
    plan, _ = world.sync(person(1))
    assert actions(plan) == {"vo.a_1001": "create"} and events(plan) == ["account-deleted-by-others"]
    assert world.row("vo.a_1001").former == ("1",) and world.row("vo.a_1001").account == "2"


def test_a_foreign_account_in_the_place_of_ours_is_left_alone() -> None:
    world = World()
    world.sync(person(1))
    del world.cloud.by_id["1"]
    world.cloud.add("vo.a_1001")
    plan, applied = world.sync(person(1))
    assert actions(plan) == {"vo.a_1001": "hold"} and applied.changes == 0
    assert "name-taken-by-foreign-account" in events(plan)


def test_edge_19_what_was_changed_by_hand_is_restored() -> None:
    world = World()
    world.sync(person(1))
    world.cloud.change("vo.a_1001", subjects=("x",), group="g-vo.b")
    plan, _ = world.sync(person(1))
    assert step_of(plan, "vo.a_1001").fields == ("group", "subjects")
    assert world.cloud.named("vo.a_1001").content.subjects == (dn(1),)


def test_edge_20_a_mark_that_was_copied() -> None:
    world = World()
    world.sync(person(1))
    world.cloud.add("copy", mark=world.cloud.named("vo.a_1001").mark)
    world.cloud.add("lost", mark=Mark("perun", "uuid:9", "vo.a"))
    plan, applied = world.sync(person(1))
    assert actions(plan) == {"vo.a_1001": "keep", "copy": "hold", "lost": "hold"}
    assert events(plan) == ["mark-cloned", "mark-without-row"] and applied.changes == 0


def test_an_account_without_its_mark_is_held() -> None:
    world = World()
    world.sync(person(1))
    world.cloud.change("vo.a_1001", mark=None)
    for listed in ([person(1)], [state(1, facility_banned=True)], []):
        plan, applied = world.sync(*listed)
        assert actions(plan) == {"vo.a_1001": "hold"} and applied.changes == 0
        assert events(plan) == ["mark-missing"]


def test_a_protected_account_is_held() -> None:
    world = World()
    world.sync(person(1))
    world.cloud.change("vo.a_1001", protected="in the group oneadmin")
    assert actions(world.plan(state(1, facility_banned=True))) == {"vo.a_1001": "hold"}


def test_edge_21_a_vo_without_a_group_is_skipped() -> None:
    world = World("vo.a")
    plan, applied = world.sync(person(1), person(2, "vo.b"), state(3, "vo.b", "EXPIRED"))
    assert actions(plan) == {"vo.a_1001": "create", "vo.b_1002": "skip", "vo.b_1003": "skip"}
    assert events(plan) == ["vo-has-no-group"] and applied.done == {"create": 1}


def test_edge_21_a_group_that_vanished() -> None:
    world = World()
    world.sync(person(1))
    world.cloud.groups.pop("vo.a")
    world.cloud.names.pop("g-vo.a")
    assert actions(world.plan(person(1))) == {"vo.a_1001": "skip"}
    assert actions(world.plan()) == {"vo.a_1001": "skip"}


def test_edge_22_a_group_that_was_renamed_is_followed() -> None:
    world = World()
    world.sync(person(1))
    world.cloud.groups.pop("vo.a")
    world.cloud.names["g-vo.a"] = "renamed"
    plan, _ = world.sync(person(1), person(2))
    assert actions(plan) == {"vo.a_1001": "keep", "vo.a_1002": "create"} and events(plan) == ["vo-group-renamed"]
    assert world.cloud.named("vo.a_1002").content.group == "g-vo.a"


def test_edge_24_who_returns_after_the_deletion_gets_a_new_account_of_the_old_name() -> None:
    world = World(rules=DELETING)
    world.sync(*nine())
    world.sync(*nine(1))
    assert world.suspended() == ["vo.a_1001"]
    world.now += 30 * DAY
    plan, _ = world.sync(*nine(1))
    assert actions(plan)["vo.a_1001"] == "note"
    world.now += DAY
    plan, applied = world.sync(*nine(1))
    assert applied.done == {"delete": 1} and world.row("vo.a_1001").state == DELETED
    assert "vo.a_1001" not in actions(world.plan(*nine(1)))
    world.sync(person(1, uid="7777"), *nine(1))
    row = world.row("vo.a_1001")
    assert (row.state, row.account, row.former) == (OWNED, "10", ("1",))
    assert "vo.a_7777" not in world.active()


def test_who_is_back_within_the_grace_keeps_the_account() -> None:
    world = World(rules=DELETING)
    world.sync(*nine())
    world.sync(*nine(1))
    world.now += 29 * DAY
    assert "for 1 more days" in step_of(world.plan(*nine(1)), "vo.a_1001").words
    plan, _ = world.sync(*nine())
    assert actions(plan)["vo.a_1001"] == "reactivate" and world.row("vo.a_1001").missing_since is None


def test_edge_25_a_clock_that_jumps_deletes_nobody() -> None:
    world = World(rules=DELETING)
    world.sync(*nine())
    world.sync(*nine(1))
    world.now += 1000 * DAY
    world.sync(*nine(1))
    world.sync(*nine(1))
    world.now -= 999 * DAY
    world.sync(*nine(1))
    world.now += 3 * DAY
    world.sync(*nine(1))
    assert world.suspended() == ["vo.a_1001"] and world.row("vo.a_1001").overdue_since is None


def test_nobody_is_deleted_unless_the_site_wants_it() -> None:
    world = World()
    world.sync(*nine())
    for _ in range(5):
        world.sync(*nine(1))
        world.now += 100 * DAY
    assert world.suspended() == ["vo.a_1001"]


def test_edge_27_two_facilities_of_a_cloud() -> None:
    world = World()
    here = [person(n) for n in range(1, 10)]
    there = [person(n, facility="OTHER") for n in range(20, 30)]
    both = person(1, facility="OTHER")
    plan = world.plan_of(Population(SITE, 5, tuple(here)), Population("OTHER", 6, (*there, both)))
    apply(plan, world.cloud, world.books)
    assert len(world.active()) == 19
    # the silence of one is not an empty list
    plan = world.plan_of(Population(SITE, 7, tuple(here)))
    assert set(actions(plan).values()) == {"keep"}
    assert step_of(plan, "vo.a_1020").reason == "facility-not-read"
    # the guard counts for each of them; who is listed at the other one loses nothing
    plan = world.plan_of(Population(SITE, 7, ()), Population("OTHER", 7, (*there, both)))
    assert [guard.facility for guard in plan.guards] == [SITE] and plan.guards[0].losers == 8


def test_edge_27_the_grace_is_counted_by_the_lists_of_ones_own_facility() -> None:
    world = World(rules=DELETING)
    world.sync(*nine())
    world.sync(*nine(1))
    here = Population(SITE, world.now, tuple(nine(1)))
    for days in (40, 50, 60):
        plan = world.plan_of(here, Population("OTHER", world.now + days * DAY, (person(30, facility="OTHER"),)))
        apply(plan, world.cloud, world.books)
        assert actions(plan)["vo.a_1001"] == "keep"
    assert world.suspended() == ["vo.a_1001"]


def test_a_uid_leads_to_nobody_elses_account() -> None:
    world = World()
    world.sync(*nine())
    plan, _ = world.sync(person(1, uid="5"), *nine(1), person(60, id="login:x", uid="1001", subjects=(dn("x"),)))
    assert "name-taken-by-foreign-account" in events(plan)
    assert world.row("vo.a_1001").person == "uuid:1" and world.cloud.named("vo.a_1001").content.subjects == (dn(1),)


def test_edge_28_without_any_list_nothing_is_done() -> None:
    world = World()
    world.sync(person(1))
    assert world.plan_of().due() == () and not world.plan_of().held


def test_edge_32_more_subjects_than_an_account_can_hold() -> None:
    world = World()
    many = tuple(dn(f"{n:04d} " + "x" * 100) for n in range(1000))
    plan, _ = world.sync(person(1, subjects=many))
    held = world.cloud.named("vo.a_1001").content.subjects
    assert events(plan) == ["too-many-subjects"]
    assert 300 < len(held) < 500 and held == many[-len(held) :]


def test_subjects_are_in_order_in_each_spelling() -> None:
    world = World()
    world.sync(person(1, subjects=("/DC=org/CN=b/x", dn(1))))
    content = world.cloud.named("vo.a_1001").content
    assert content.subjects == ("/DC=org/CN=b/x", r"/DC=org/CN=b\/x", dn(1)) and content.global_user == dn(1)


def test_a_subject_that_is_gone_leaves_the_account_before_anybody_gets_it() -> None:
    world = World()
    world.sync(person(1, subjects=(dn("a"), dn("b"))))
    plan, _ = world.sync(person(1, subjects=(dn("a"),)), person(2, subjects=(dn("b"),)))
    assert [step.action for step in plan.due()] == ["update", "create"]


def test_a_subject_of_two_persons_is_nobodys() -> None:
    world = World()
    both = [person(1, subjects=(dn(1), dn("x"))), person(2, subjects=(dn("X"), dn(2)))]
    plan, _ = world.sync(*both)
    assert events(plan) == ["dn-duplicate-across-users"]
    assert world.cloud.named("vo.a_1001").content.subjects == (dn(1),)
    assert world.cloud.named("vo.a_1002").content.subjects == (dn(2),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": None}, "uid-missing"),
        ({"uid": "1002"}, "uid-duplicate"),
        ({"memberships": (membership("vo.a", "?"),)}, "unknown-status"),
        ({"uid": None, "memberships": (membership("vo.a", "?"),), "subjects": ()}, "uid-missing"),
        ({"subjects": ()}, "no-usable-dn"),
    ],
)
def test_who_is_held(changes: Dict[str, Any], reason: str) -> None:
    for existing in (False, True):
        world = World()
        if existing:
            world.sync(person(1), person(2))
        plan = world.plan(person(1, **changes), person(2))
        step = next(s for s in plan.steps if s.person == "uuid:1")
        assert (step.action, step.reason) == ("hold", reason)
        assert reason in events(plan)


def test_a_ban_counts_whatever_is_wrong_besides() -> None:
    world = World()
    world.sync(person(1))
    plan, _ = world.sync(state(1, facility_banned=True)._replace(uid=None, subjects=()))
    assert actions(plan) == {"vo.a_1001": "suspend"}


def test_the_uid_of_an_account_that_exists_is_not_in_its_name_for_ever() -> None:
    world = World()
    world.sync(person(1))
    plan, applied = world.sync(person(1, uid="5"))
    assert applied.changes == 0 and world.active() == ["vo.a_1001"] and world.row("vo.a_1001").uid == "5"
    plan, applied = world.sync(person(1, uid="5"), person(2, uid="1001"))
    assert [step.action for step in plan.steps] == ["keep", "hold"] and applied.changes == 0
    assert events(plan) == ["name-taken-by-foreign-account"]


@pytest.mark.parametrize("vo", ["v o", "v|o", 'v"o', "v/o", "x" * 130])
def test_a_name_that_clouds_do_not_take(vo: str) -> None:
    world = World(vo)
    assert events(world.plan(person(1, vo))) == ["name-unfit"]


def test_keys_follow_perun_until_the_user_changes_them() -> None:
    world = World()
    world.sync(person(1))
    plan, _ = world.sync(person(1, keys=("ssh-rsa NEW",)))
    assert step_of(plan, "vo.a_1001").fields == ("keys",)
    world.cloud.change("vo.a_1001", keys=("ssh-rsa OWN",))
    assert set(actions(world.plan(person(1, keys=("ssh-rsa NEWER",)))).values()) == {"keep"}


@pytest.mark.parametrize("enforce", [False, True])
def test_quotas(enforce: bool) -> None:
    world = World(rules=Policy(quotas={"vo.a": (("cpu", 4.0),)}, enforce_quota=enforce))
    world.sync(person(1), person(2, "vo.b"))
    assert world.cloud.named("vo.a_1001").content.quota == (("cpu", 4.0),)
    world.cloud.change("vo.a_1001", quota=(("cpu", 8.0),))
    world.cloud.change("vo.b_1002", quota=(("cpu", 8.0),))
    plan = world.plan(person(1), person(2, "vo.b"))
    assert actions(plan) == {"vo.a_1001": "update" if enforce else "keep", "vo.b_1002": "keep"}


def test_what_is_told_holds_nothing_personal() -> None:
    world = World()
    world.sync(person(1), person(2))
    plan = world.plan(person(1, subjects=("/bad|name", dn(2))), person(2), person(3, subjects=(dn(2), "/C=x/CN=a|b")))
    told = " ".join([*(n.words for n in plan.notices), *(s.words + s.reason for s in plan.steps)])
    assert plan.notices and "CN=" not in told and "@" not in told and "Person" not in told


def test_one_failure_does_not_cost_the_others() -> None:
    world = World()
    world.cloud.errors["vo.a_1001"] = RefusedError("no")
    _, applied = world.sync(person(1), person(2))
    assert world.active() == ["vo.a_1002"] and [str(error) for _, error in applied.failed] == ["no"]
    world.cloud.errors.clear()
    world.sync(person(1), person(2))
    assert world.active() == ["vo.a_1001", "vo.a_1002"]


def test_an_account_that_changed_since_it_was_listed_is_left_alone() -> None:
    world = World()
    world.sync(person(1))
    for change in ({"mark": None}, {"protected": "an administrator's"}, {"name": "other"}):
        plan = world.plan(state(1, facility_banned=True))
        name = step_of(plan, "vo.a_1001").name
        before = world.cloud.named(name)
        world.cloud.change(name, **change)
        applied = apply(plan, world.cloud, world.books)
        assert len(applied.failed) == 1 and applied.changes == 0
        world.cloud.by_id["1"] = before
    assert world.active() == ["vo.a_1001"]


def test_steps_are_done_in_the_order_of_the_rules() -> None:
    world = World(rules=DELETING)
    world.sync(*(person(n) for n in range(1, 20)))
    world.sync(*(person(n) for n in range(1, 19)))
    world.now += 31 * DAY
    world.sync(*(person(n) for n in range(1, 18)), state(18, status="EXPIRED"))
    world.now += 2 * DAY
    plan = world.plan(
        state(1, facility_banned=True),
        person(2, subjects=(dn("2b"),)),
        person(3, mail="new@example.org"),
        person(18),
        person(40),
        *(person(n) for n in range(4, 17)),
    )
    assert [step.action for step in plan.due()] == [
        *(steps.SUSPEND, steps.SUSPEND, steps.UPDATE, steps.CREATE, steps.UPDATE, steps.REACTIVATE, steps.DELETE)
    ]


def test_repeating_a_list_does_not_loosen_the_guard() -> None:
    world = World()
    world.sync(*(person(n) for n in range(1, 9)))
    half = [person(n) for n in (1, 2, 3, *range(50, 70))]
    for _ in range(3):
        plan, applied = world.sync(*half)
        assert plan.held and plan.guards[0].owned == 8 and "suspend" not in applied.done
        world.now += DAY
    # a good list ends it, and so does a confirmation
    world.sync(*half, *(person(n) for n in range(4, 9)))
    assert world.books.guards == {"main": {}}
    assert not world.plan(*half).held
