"""Which projects are accounted to which VO, and who a user is."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from fedcloud_plugins.openstack.directory import Project, Selection, names_of, select

DEFAULT_ORDER = ("dn", "unique_id", "attribute", "name")


def selection(**changes: Any) -> Selection:
    given: Dict[str, Any] = {
        "configured": {},
        "voms_json": {},
        "properties": ("accounting:VO", "VO"),
        "tag": None,
        **changes,
    }
    return Selection(**given)


def project(id_: str, **fields: Any) -> Dict[str, Any]:
    return {"id": id_, "name": f"name-{id_}", "tags": [], "enabled": True, **fields}


def chosen(projects: List[Dict[str, Any]], **changes: Any) -> Any:
    found, problems = select(projects, selection(**changes))
    return {p.id: p.vo for p in found}, [p.subject for p in problems]


def test_the_configuration_counts_before_the_property_before_the_file() -> None:
    projects = [project("a", VO="by.property"), project("b", VO="by.property"), project("c")]
    file = {"name-a": "by.file", "b": "by.file", "name-c": "by.file"}
    found, problems = chosen(projects, configured={"a": "by.hand"}, voms_json=file)
    assert found == {"a": "by.hand", "b": "by.property", "c": "by.file"}
    assert problems == ["project name-a"]


def test_the_first_property_that_is_set_names_the_vo_even_as_fqan() -> None:
    projects = [project("a", VO="two", **{"accounting:VO": "/one/Role=NULL"}), project("b", VO=""), project("c", VO=7)]
    assert chosen(projects) == ({"a": "one"}, [])


def test_a_tag_narrows_what_no_list_names() -> None:
    projects = [project("a", VO="x"), project("b", VO="x", tags=["egi"]), project("c", tags=["egi"]), project("d")]
    found, problems = chosen(projects, tag="egi", configured={"d": "y"})
    assert found == {"b": "x", "d": "y"}
    assert problems == ["project name-c"]


def test_a_property_that_names_no_vo_is_a_problem() -> None:
    assert chosen([project("a", VO="two words")]) == ({}, ["project name-a"])


def test_a_name_that_two_projects_have_needs_the_id() -> None:
    twins = [project("a", name="same"), project("b", name="same")]
    assert chosen(twins, configured={"same": "x"}) == ({}, ["project same"])
    assert chosen(twins, configured={"b": "x"}) == ({"b": "x"}, [])


def test_a_disabled_project_is_known_as_such() -> None:
    found, _ = select([project("a", VO="x", enabled=False)], selection())
    assert found == [Project("a", "name-a", "x", enabled=False)]


FEDERATED = [{"idp_id": "egi.eu", "protocols": [{"protocol_id": "openid", "unique_id": "ab%2Fc%40egi.eu"}]}]


@pytest.mark.parametrize(
    ("user", "order", "expected"),
    [
        ({"name": "/C=GR/CN=Jane"}, DEFAULT_ORDER, "/C=GR/CN=Jane"),
        ({"name": "/C=GR/CN=Jane", "federated": FEDERATED}, ("unique_id", "dn"), "ab/c@egi.eu"),
        ({"name": "jane", "federated": FEDERATED, "mail": "x"}, DEFAULT_ORDER, "ab/c@egi.eu"),
        ({"name": "jane", "mail": "/C=GR/CN=Jane"}, DEFAULT_ORDER, "/C=GR/CN=Jane"),
        ({"name": "jane"}, DEFAULT_ORDER, "jane"),
        ({"name": "jane"}, ("dn", "unique_id"), None),
        ({"name": "jane", "federated": [{"protocols": None}]}, ("unique_id",), None),
        ({"name": "jane", "federated": "egi.eu"}, ("unique_id",), None),
        ({"name": "a\nb"}, ("name",), None),
        ({}, DEFAULT_ORDER, None),
    ],
)
def test_who_a_user_is(user: Any, order: Any, expected: Any) -> None:
    assert names_of(user, order, "mail") == expected
