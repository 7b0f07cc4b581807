"""Digests: equal exactly if readers could not tell two entries apart, but for their times."""

from __future__ import annotations

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import IN_ORDER, Builder, Entry, digest, tree_hash
from tests.unit.infosys.world import NOW, seen, site

ENTRY = Entry(
    "GLUE2EndpointID=a,o=glue",
    {
        "objectClass": ("GLUE2Endpoint",),
        **{name: (name.lower(),) for name in IN_ORDER},
        "GLUE2EntityOtherInfo": ("a", "b"),
    },
)


def changed(**attributes: tuple[str, ...]) -> Entry:
    return Entry(ENTRY.dn, {**ENTRY.attributes, **attributes})


def test_the_order_of_values_and_attributes_is_no_difference() -> None:
    assert digest(changed(GLUE2EntityOtherInfo=("b", "a"))) == digest(ENTRY)
    moved = dict(ENTRY.attributes)
    moved["objectClass"] = moved.pop("objectClass")
    assert digest(Entry(ENTRY.dn, moved)) == digest(ENTRY)


def test_the_order_of_the_three_is_one() -> None:
    moved = dict(ENTRY.attributes)
    moved[IN_ORDER[0]] = moved.pop(IN_ORDER[0])
    assert digest(Entry(ENTRY.dn, moved)) != digest(ENTRY)


def test_times_are_no_difference_and_everything_else_is() -> None:
    assert digest(changed(GLUE2EntityCreationTime=("2026-01-01T00:00:00Z",))) == digest(ENTRY)
    assert digest(changed(GLUE2EntityName=("x",))) != digest(ENTRY)
    assert digest(changed(GLUE2EntityOtherInfo=("a", "b", "c"))) != digest(ENTRY)
    assert digest(Entry(ENTRY.dn + "x", ENTRY.attributes)) != digest(ENTRY)
    assert digest(changed(GLUE2EntityOtherInfo=("ab",))) != digest(ENTRY)


def test_a_tree_that_is_made_again_later_is_the_same() -> None:
    first = {entry.dn: digest(entry) for entry in glue20.entries(site(), NOW)}
    later = {entry.dn: digest(entry) for entry in glue20.entries(site(seen(as_of=NOW + 900)), NOW + 960)}
    assert tree_hash(first) == tree_hash(dict(reversed(list(later.items()))))
    assert tree_hash({**later, ENTRY.dn: digest(ENTRY)}) != tree_hash(first)


def test_a_builder_leaves_out_what_is_nothing_and_keeps_values_once() -> None:
    made = Builder(("GLUE2ShareID", "s"), "o=glue", ("GLUE2Share",))
    made.add("a", None, "").add("b", "x", "y", "x").add("c", False).add("d", 0)
    assert made.entry().attributes == {
        "objectClass": ("GLUE2Share",),
        "GLUE2ShareID": ("s",),
        "b": ("x", "y"),
        "c": ("false",),
        "d": ("0",),
    }
