"""Which group serves which VO, and what settings contradict one another."""

from __future__ import annotations

import dataclasses

import pytest

from fedcloud_plugins.opennebula.settings import AuthSettings, OpenNebulaSettings, ProxySettings, VoSettings

PLAIN = OpenNebulaSettings(endpoint="http://one.example.org:2633/RPC2", auth=AuthSettings())


def test_without_vos_a_group_serves_the_vo_of_its_name() -> None:
    assert PLAIN.vo_of("100", "vo.example.org") == "vo.example.org"
    assert PLAIN.vo_of("0", "oneadmin") is None
    assert PLAIN.vo_of("1", "users") is None
    assert PLAIN.vo_of("100", "") is None


@pytest.mark.parametrize(("others", "expected"), [(None, None), (False, None), (True, "else")])
def test_with_vos_only_the_groups_that_are_named_count(others: bool, expected: str) -> None:
    vos = {"bio.example.org": VoSettings(group="bio", groups=("102", "more")), "ops": VoSettings(groups=("0",))}
    settings = dataclasses.replace(PLAIN, vos=vos, group_names_are_vos=others)
    assert settings.vo_of("101", "bio") == "bio.example.org"
    assert settings.vo_of("102", "x") == "bio.example.org"
    assert settings.vo_of("103", "more") == "bio.example.org"
    assert settings.vo_of("0", "oneadmin") == "ops"
    assert settings.vo_of("104", "else") == expected


def test_contradictions_are_named() -> None:
    assert list(PLAIN.faults()) == []
    twice = {"a": VoSettings(group="x"), "b": VoSettings(groups=("x",))}
    assert [key for key, _ in dataclasses.replace(PLAIN, vos=twice).faults()] == ["vos"]
    assert [key for key, _ in dataclasses.replace(PLAIN, uuid_style="oneacct").faults()] == ["uuid_zone"]
    assert [key for key, _ in dataclasses.replace(PLAIN, benchmark=1.0).faults()] == ["benchmark"]
    assert [key for key, _ in ProxySettings(username="x").faults()] == ["password_file"]
