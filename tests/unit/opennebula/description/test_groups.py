"""Which groups become shares."""

from __future__ import annotations

import dataclasses
from typing import Any, List
from xml.etree.ElementTree import fromstring

import pytest

from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Machines, Quota
from fedcloud_plugins.opennebula.description.groups import Group, Quotas, shares_of, told_of
from fedcloud_plugins.opennebula.description.quotas import Counters
from fedcloud_plugins.opennebula.settings import VoSettings
from tests.unit.opennebula.description.lists import recorded
from tests.unit.opennebula.elements import SETTINGS

BY_NAME = dataclasses.replace(SETTINGS, vos={})


def told() -> List[Any]:
    return [one for one in map(told_of, recorded("calls/grouppool.info", "GROUP_POOL")) if one is not None]


def test_recorded_groups() -> None:
    busy = Machines(31, 28, 1, 1, 1)
    shares, problems = shares_of(told(), BY_NAME, {101: busy})
    assert problems == ()
    assert [(one.vo, one.project, one.project_name) for one in shares] == [
        ("fedcloud.egi.eu", "100", "fedcloud.egi.eu"),
        ("vo.example.org", "101", "vo.example.org"),
        ("ops", "102", "ops"),
        ("empty.vo", "103", "empty.vo"),
    ]
    assert shares[1].quotas[0] == Quota("instances", 50, 31)
    assert (shares[1].max_machines, shares[1].machines) == (50, busy)
    assert (shares[0].max_machines, shares[0].machines) == (None, Machines(0, 0, 0, 0, 0))


def test_with_vos_only_the_groups_that_are_named_and_each_once() -> None:
    vos = {"bio": VoSettings(groups=("102", "vo.example.org")), "gone": VoSettings(group="no-such")}
    shares, problems = shares_of(told(), dataclasses.replace(SETTINGS, vos=vos), None)
    assert [(one.vo, one.project, one.machines) for one in shares] == [("bio", "101", None), ("bio", "102", None)]
    assert problems == (Problem("group no-such", "it is to serve gone, but oned shows no group of this name or id"),)


def test_quotas_within_the_group_as_3_8_told_them() -> None:
    text = "<GROUP><ID>100</ID><NAME>a</NAME><VM_QUOTA><VM><VMS>0</VMS></VM></VM_QUOTA></GROUP>"
    group = told_of(fromstring(text))
    assert group == Group(100, "a", Counters({"VMS": "0"}))
    (share,), _ = shares_of([group], BY_NAME, None, zero_is_unlimited=True)
    assert share.max_machines is None and share.quotas[0].limit == -1


def test_odd_quotas_cost_the_quotas_only() -> None:
    odd = [Group(100, "a", Counters(None)), Quotas(100, Counters({"VMS": "many"}))]
    (share,), (problem,) = shares_of(odd, BY_NAME, None)
    assert share.quotas == ()
    assert problem.subject == "group a" and "many" in problem.reason


def test_what_is_no_group() -> None:
    assert told_of(fromstring("<VDC><ID>1</ID></VDC>")) is None
    for text in ("<GROUP/>", "<QUOTAS><ID>-1</ID></QUOTAS>"):
        with pytest.raises(ValueError, match="no ID"):
            told_of(fromstring(text))
