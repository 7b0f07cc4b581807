"""What a round of a BDII finds to be done."""

from __future__ import annotations

from tests.federation.top.update import attributes, compare, records

ONE = "dn: o=glue\nobjectClass: organization\no: glue\n\n"
TWO = "dn: GLUE2GroupID=two,o=glue\nobjectClass: GLUE2Group\nGLUE2GroupID: two\n\n"
DEEP = "dn: GLUE2ServiceID=s,GLUE2GroupID=two,o=glue\nGLUE2ServiceID: s\nGLUE2ServiceType: a\n\n"


def test_nothing_is_to_be_done_for_the_same_in_another_order_and_another_case() -> None:
    folded = "dn: GLUE2ServiceID=s, glue2groupid=two,\n o=GLUE\nGLUE2SERVICETYPE: a\nGLUE2ServiceID: s\n\n"
    assert compare(ONE + TWO + DEEP, folded + TWO + ONE) == ([], [], [], [])


def test_what_is_new_is_added_the_shortest_first() -> None:
    adds, modifies, deletes, strays = compare("", DEEP + TWO + ONE)
    assert [one.split("\n")[0] for one in adds] == [one.split("\n")[0] for one in (ONE, TWO, DEEP)]
    assert adds[2].endswith("\nglue2serviceid: s\nglue2servicetype: a\n\n") and modifies == deletes == strays == []


def test_what_has_changed_is_modified_attribute_by_attribute() -> None:
    old = "dn: x,o=glue\nkept: a\nother: a\nother: b\ngone: c\n\n"
    new = "dn: X,o=glue\nnew:: w6k=\nkept: a\nother: b\nother: a\n\n"
    _, (modification,), _, _ = compare(old, new)
    assert modification == (
        "dn: X,o=glue\nchangetype: modify\n"
        "add: new\nnew:: w6k=\n-\nreplace: other\nother: b\nother: a\n-\ndelete: gone\n-\n\n"
    )


def test_what_is_gone_is_deleted_the_shortest_first() -> None:
    assert compare(ONE + DEEP + TWO, ONE).deletes == [
        "GLUE2GroupID=two,o=glue",
        "GLUE2ServiceID=s,GLUE2GroupID=two,o=glue",
    ]


def test_an_entry_begins_wherever_its_mark_stands() -> None:
    found = records("dn: x,o=glue\ndescription: see dn: y,o=glue\nmore: z\n\n" + ONE)
    assert set(found) == {"x,o=glue", "y,o=glue", "o=glue"}
    assert attributes(found["x,o=glue"]) == {"dn": ["x,o=glue"], "description": ["see"]}


def test_what_is_below_no_suffix_is_told_and_left_alone() -> None:
    assert compare(ONE, ONE + "dn: x\nmore: z\n\ndn:: b249Z2x1ZQ==\no: glue\n\n") == (
        [],
        [],
        [],
        ["x", ": b249z2x1zq=="],
    )


def test_of_two_with_one_name_the_first_is_taken() -> None:
    found = records("dn: x,o=glue\na: 1\n\ndn: X, o=glue\na: 2\n\n")
    assert attributes(found["x,o=glue"])["a"] == ["1"]
