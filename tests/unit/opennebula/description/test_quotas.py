"""What -1, -2, 0 and nothing mean in oned's quotas."""

from __future__ import annotations

from typing import Any, Dict, Optional
from xml.etree.ElementTree import fromstring

import pytest

from fedcloud_agent.clouds.offer import UNLIMITED, Quota
from fedcloud_plugins.opennebula.description.quotas import Counters, counters_of, quotas_of
from tests.unit.opennebula.description.lists import recorded

NOTHING = Counters({})


def by_name(own: Optional[Dict[str, str]], default: Optional[Dict[str, str]] = None, **how: Any) -> Dict[str, Quota]:
    return {one.name: one for one in quotas_of(Counters(own), Counters(default), **how)}


def recorded_counters() -> Dict[str, Counters]:
    told = recorded("calls/grouppool.info", "GROUP_POOL")
    return {one.findtext("ID", one.tag): counters_of(one) for one in told if "QUOTAS" in one.tag}


def test_recorded_quotas() -> None:
    told = recorded_counters()
    default = told["DEFAULT_GROUP_QUOTAS"]
    limited = quotas_of(told["101"], default)
    assert limited == (
        Quota("instances", 50, 31),
        Quota("cpu", 100, 4),
        Quota("ram", 204800, 8236),
        Quota("disk", UNLIMITED, 41),
        Quota("running_instances", UNLIMITED, 28),
        Quota("running_cpu", UNLIMITED, 4),
        Quota("running_ram", UNLIMITED, 7468),
    )
    assert {one.limit for one in quotas_of(told["100"], default)} == {UNLIMITED}
    # no machine was ever made there, and no limit set
    empty = quotas_of(told["103"], default)
    assert empty == (Quota("instances", UNLIMITED, 0), Quota("cpu", UNLIMITED, 0), Quota("ram", UNLIMITED, 0))


@pytest.mark.parametrize(
    ("own", "default", "expected"),
    [
        ("50", None, 50),
        ("0", None, 0),
        ("-1", None, UNLIMITED),
        ("-1", "20", 20),
        ("-1", "-1", UNLIMITED),
        ("-1", "-2", UNLIMITED),
        ("-1", "0", 0),
        ("-2", "20", UNLIMITED),
        (None, "20", 20),
        (None, None, UNLIMITED),
        ("7.9", None, 7),
    ],
)
def test_a_limit_its_default_and_none(own: Optional[str], default: Optional[str], expected: int) -> None:
    def one(value: Optional[str]) -> Dict[str, str]:
        return {} if value is None else {"VMS": value}

    assert by_name(one(own), one(default))["instances"].limit == expected


def test_before_4_6_zero_was_no_limit() -> None:
    own = {"VMS": "0", "VMS_USED": "3", "CPU": "-1", "MEMORY": "1024"}
    old = by_name(own, {"CPU": "0"}, zero_is_unlimited=True)
    assert (old["instances"], old["cpu"].limit, old["ram"].limit) == (Quota("instances", UNLIMITED, 3), UNLIMITED, 1024)
    new = by_name(own, {"CPU": "0"})
    assert (new["instances"], new["cpu"].limit) == (Quota("instances", 0, 3), 0)


def test_amounts_are_rounded_so_that_nobody_has_more_than_there_is() -> None:
    told = by_name({"SYSTEM_DISK_SIZE": "2047", "SYSTEM_DISK_SIZE_USED": "1025", "CPU": "1.5", "CPU_USED": "0.1"})
    assert told["disk"] == Quota("disk", 1, 2)
    assert told["cpu"] == Quota("cpu", 1, 1)
    assert by_name({"VMS": "5", "VMS_USED": "-1"})["instances"].used == 0
    assert by_name({"VOLATILE_SIZE": "-1"})["volatile_disk"].limit == UNLIMITED


def test_where_there_are_no_quotas_none_are_told() -> None:
    assert counters_of(fromstring("<GROUP><ID>1</ID></GROUP>")) == Counters(None)
    assert quotas_of(Counters(None), Counters({"VMS": "5"})) == ()


def test_rows_for_some_clusters_are_not_those_of_the_group() -> None:
    rows = "<VM><CLUSTER_IDS>0,100</CLUSTER_IDS><VMS>1</VMS></VM><VM><CLUSTER_IDS/><VMS>9</VMS></VM>"
    assert counters_of(fromstring(f"<QUOTAS><VM_QUOTA>{rows}</VM_QUOTA></QUOTAS>")).values == {"VMS": "9"}
    assert counters_of(fromstring("<QUOTAS><VM_QUOTA/></QUOTAS>")) == NOTHING


@pytest.mark.parametrize("value", ["many", "nan", "1_0", "1" * 50, "-3", "1e300"])
def test_a_limit_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="its quota VMS"):
        by_name({"VMS": value})
