"""From one tree to the next: little is sent, in an order in which no reader meets a key to nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.clouds.offer import CloudOffer, Image, InstanceType, Share
from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.differences import GRACE, SETTLING, Differences, Step, altered
from fedcloud_agent.infosys.entry import IN_ORDER, digest
from fedcloud_agent.infosys.in_place import Offered, short_way
from fedcloud_agent.infosys.model import SiteOffer
from fedcloud_agent.infosys.sifting import sift
from fedcloud_agent.ldap import Modify
from tests.unit.infosys.directory import Tree
from tests.unit.infosys.world import NOW, OFFER, seen, site, with_first

VALIDITY = site().settings.validity


def differences_of(tree: Tree, now: SiteOffer, instant: int) -> Differences:
    differences = Differences(tree.held, instant, VALIDITY)
    for entry in glue20.entries(sift(now, instant).site, instant):
        differences.show(entry)
    return differences


def long_way(tree: Tree, now: SiteOffer, instant: int) -> Step:
    differences = differences_of(tree, now, instant)
    return differences.step([tree.entries[dn] for dn in differences.wanted])


def of(**changes: Any) -> SiteOffer:
    return site(seen(**changes))


def tree_of(some: SiteOffer, instant: int = NOW) -> Tree:
    return Tree(glue20.entries(sift(some, instant).site, instant))


def test_nothing_changed_is_nothing_to_do() -> None:
    tree = tree_of(site())
    later = of(as_of=NOW + 600)
    assert long_way(tree, later, NOW + 660).empty
    short = short_way(Offered(site(), NOW), Offered(later, NOW + 660), tree.held)
    assert short is not None and short.empty and not short.phases


def test_an_instance_type_comes_by_itself_and_goes_a_generation_later() -> None:
    tree = tree_of(site())
    more = (*OFFER.instance_types, replace(OFFER.instance_types[0], id="new"))
    step = long_way(tree, of(instance_types=more), NOW + 60)
    # the type itself, and the service that counts its types; the shares that see it name it in a later round
    assert step.sizes == (1, 1, 0) and not step.reload
    tree.apply(step, NOW + 60)
    assert long_way(tree, of(instance_types=more), NOW + 60 + SETTLING - 1).empty
    step = long_way(tree, of(instance_types=more), NOW + 60 + SETTLING)
    assert {one.dn.partition("=")[0] for one in step.changes.put} == {"GLUE2ShareID"}
    tree.apply(step, NOW + 60 + SETTLING)
    step = long_way(tree, site(), NOW + 120)
    assert step.sizes[0] == 0 and step.sizes[2] == 0 and len(step.changes.gone) == 1 and not step.reload
    tree.apply(step, NOW + 120)
    assert long_way(tree, site(), NOW + 120 + GRACE - 1).empty
    step = long_way(tree, site(), NOW + 120 + GRACE)
    assert step.sizes == (0, 0, 1) and not step.reload
    tree.apply(step, NOW + 120 + GRACE)
    assert {dn: digest(one) for dn, one in tree.entries.items()} == {
        one.dn: digest(one) for one in glue20.entries(site(), NOW)
    }


def test_what_comes_back_in_its_grace_is_not_deleted() -> None:
    tree = tree_of(site())
    fewer = of(instance_types=OFFER.instance_types[:1])
    tree.apply(long_way(tree, fewer, NOW + 60), NOW + 60)
    tree.apply(long_way(tree, site(), NOW + 120), NOW + 120)
    assert long_way(tree, site(), NOW + 120 + 10 * GRACE).sizes[2] == 0
    assert all(one.gone is None for one in tree.held.values())


def test_a_door_that_is_gone_says_closed_until_it_is_deleted_with_a_new_load() -> None:
    second = replace(OFFER.endpoints[0], url="https://other.example.org:5000/v3")
    tree = tree_of(of(endpoints=(*OFFER.endpoints, second)))
    step = long_way(tree, site(), NOW + 60)
    assert not step.reload
    tree.apply(step, NOW + 60)
    (closed,) = (one for one in tree.entries.values() if one.first("GLUE2EndpointURL") == second.url)
    assert closed.first("GLUE2EndpointServingState") == "closed"
    assert closed.first("GLUE2EndpointHealthState") == "unknown"
    assert [name for name in closed.attributes if name in IN_ORDER] == list(IN_ORDER)
    assert long_way(tree, site(), NOW + 60 + GRACE).reload


@pytest.mark.parametrize("changes", [{"shares": (*OFFER.shares, Share("new.example.org", "p-new"))}])
def test_what_has_companions_comes_with_a_new_load(changes: Any) -> None:
    assert long_way(tree_of(site()), of(**changes), NOW + 60).reload


def test_old_times_are_renewed_alone() -> None:
    tree = tree_of(site())
    instant = NOW + VALIDITY // 2 + 60
    step = long_way(tree, of(as_of=instant - 10), instant)
    (phase,) = step.phases
    assert all(
        {change.attribute for change in one.changes} <= {"GLUE2EntityCreationTime", "GLUE2EntityValidity"}
        for one in phase
        if isinstance(one, Modify)
    )
    tree.apply(step, instant)
    # a cloud that was not read keeps its times, so that readers see how old they are
    step = long_way(tree, of(as_of=instant - 10), instant + VALIDITY // 2 + 60)
    renewed = {one.dn.partition("=")[0] for one in step.changes.put}
    assert "GLUE2ResourceID" not in renewed and "GLUE2DomainID" in renewed


def test_of_the_three_in_order_all_are_replaced_when_one_is() -> None:
    (old,) = (one for one in glue20.entries(site(), NOW) if one.first("GLUE2EndpointInterfaceName") == "OpenStack")
    new = old._replace(attributes={**old.attributes, "GLUE2EndpointInterfaceVersion": ("v2.2",)})
    names = [one.attribute for one in altered(old, new).changes]
    assert [name for name in names if name in IN_ORDER] == list(IN_ORDER)


IMAGES = [Image(f"i{number}", f"image {number}", f"https://registry.example.org/{number}") for number in range(4)]
TYPES = [InstanceType(f"t{number}", f"m{number}", 1 + number, 2048, 20) for number in range(3)]


def _offers() -> st.SearchStrategy[CloudOffer]:
    image = st.builds(
        lambda one, version, name, shares: replace(one, version=version, name=name, shares=shares),
        st.sampled_from(IMAGES),
        st.sampled_from([None, "1", "2"]),
        st.sampled_from(["a", "dn: b", "", "č, d"]),
        st.sampled_from([None, (), ("p-vo",), ("ops", "p-vo")]),
    )
    kind = st.builds(
        lambda one, memory, shares: replace(one, memory=memory, shares=shares),
        st.sampled_from(TYPES),
        st.sampled_from([512, 2048, None]),
        st.sampled_from([None, ("p-vo",)]),
    )
    share = st.builds(
        Share,
        st.sampled_from(["ops", "vo.example.org"]),
        st.sampled_from(["p-ops", "p-vo"]),
        max_machines=st.sampled_from([None, 5, 6]),
    )
    return st.builds(
        lambda images, types, shares, as_of: replace(
            OFFER, images=tuple(images), instance_types=tuple(types), shares=tuple(shares), accelerators=(), as_of=as_of
        ),
        st.lists(image, max_size=5),
        st.lists(kind, max_size=4),
        st.lists(share, max_size=3),
        st.integers(NOW - 100, NOW),
    )


@given(st.lists(st.tuples(_offers(), st.integers(1, 400)), min_size=1, max_size=6))
def test_any_offers_in_a_row_lead_to_the_tree_of_the_last(offers: List[Any]) -> None:
    tree, before, instant, unsettled = Tree(), None, NOW, False
    for offer, gap in offers:
        instant += gap
        now = site(replace(seen(), offer=replace(offer, as_of=instant - 1)))
        short = None if before is None or unsettled else short_way(before, Offered(now, instant), tree.held)
        step = short or long_way(tree, now, instant)
        unsettled = short is None and differences_of(tree, now, instant).unsettled
        if short is not None:
            same = long_way(tree, now, instant)
            assert _plain(short) == _plain(same), "the short way leads elsewhere than the long one"
        do(tree, step, instant)
        before = Offered(now, instant)
    # what came last is named by others a round later
    do(tree, long_way(tree, now, instant + SETTLING), instant + SETTLING)
    do(tree, long_way(tree, now, instant + 2 * SETTLING), instant + 2 * SETTLING)
    offered = {one.dn: digest(one) for one in glue20.entries(sift(now, instant).site, instant)}
    assert {dn: one.digest for dn, one in tree.held.items() if one.gone is None} == offered


def do(tree: Tree, step: Step, instant: int) -> None:
    """Do a step as a server does it: in place, or by a new load."""
    if not step.reload and tree.entries:
        tree.apply(step, instant)
        return
    tree.write(step.changes, instant, loaded=True)
    entries = (*tree.entries.values(), *step.changes.put, *step.changes.gone)
    tree.entries = {one.dn: one for one in entries if one.dn in tree.held}


def _plain(step: Step) -> Any:
    changes = step.changes
    return (
        {one.dn: digest(one) for one in changes.put},
        {one.dn: digest(one) for one in changes.gone},
        sorted(changes.dropped),
        step.sizes,
        step.reload,
    )


def _same_structure() -> st.SearchStrategy[CloudOffer]:
    """Offers in which nothing comes or goes, and everything else may change."""
    words = st.sampled_from([None, "1", "2", "dn: x"])
    sights = st.sampled_from([None, ("p-vo",), ("ops", "p-vo"), ()])
    images = st.tuples(
        *(st.builds(lambda v, s, one=one: replace(one, version=v, shares=s), words, sights) for one in IMAGES)
    )
    kinds = st.tuples(*(st.builds(lambda v, one=one: replace(one, network_info=v), words) for one in TYPES))
    shares = st.tuples(*(st.builds(lambda v, one=one: replace(one, description=v), words) for one in OFFER.shares))
    doors = st.builds(
        lambda v, h: (replace(OFFER.endpoints[0], version=v, health=h),), words, st.sampled_from(["ok", "warning"])
    )
    return st.builds(
        lambda i, k, s, d: replace(OFFER, images=i, instance_types=k, shares=s, endpoints=d, accelerators=()),
        *(images, kinds, shares, doors),
    )


@given(_same_structure(), _same_structure())
def test_the_short_way_is_taken_when_nothing_comes_or_goes_and_leads_to_the_same(
    old: CloudOffer, new: CloudOffer
) -> None:
    before, now = site(replace(seen(), offer=old)), site(replace(seen(), offer=replace(new, as_of=NOW + 50)))
    tree = tree_of(before)
    short = short_way(Offered(before, NOW), Offered(now, NOW + 60), tree.held)
    assert short is not None
    assert _plain(short) == _plain(long_way(tree, now, NOW + 60))
    tree.apply(short, NOW + 60)


def test_the_short_way_is_left_for_what_could_touch_the_rest() -> None:
    tree, before = tree_of(site()), Offered(site(), NOW)
    for changes in (
        {"instance_types": with_first(OFFER.instance_types, memory=None)},  # breaks a rule
        {"instance_types": OFFER.instance_types[:1]},
        {"images": ()},
        {"endpoints": with_first(OFFER.endpoints, url="https://elsewhere.example.org/")},
        {"managers": with_first(OFFER.managers, key="other")},
    ):
        assert short_way(before, Offered(of(**changes), NOW + 60), tree.held) is None
    other = site(settings=replace(site().settings, naming="registry"))
    assert short_way(before, Offered(other, NOW + 60), tree.held) is None
    # a tree that was made from something else
    changed = of(instance_types=with_first(OFFER.instance_types, disk=99))
    wrong = Offered(of(instance_types=with_first(OFFER.instance_types, disk=77)), NOW)
    assert short_way(wrong, Offered(changed, NOW + 60), tree.held) is None
