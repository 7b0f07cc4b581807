"""Rows that a real nova answered (trimmed), and rows that none should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from fedcloud_agent.clouds.contract import COMPLETED, STARTED, SUSPENDED, Unreadable, VirtualMachine
from fedcloud_plugins.openstack.mapping import Reading, flavor, instant, machine_of, read_page

DATA = Path(__file__).parents[2] / "data" / "openstack" / "rows"
IMAGE = "db1a706e-3eb4-4d61-b2d2-465e3cf67fb4"
RECORDED: List[Dict[str, Any]] = json.loads((DATA / "servers-2.66.json").read_bytes())["servers"]
VOS = {row["tenant_id"]: "vo.example.org" for row in RECORDED}


def reading(**changes: Any) -> Reading:
    given: Dict[str, Any] = {"vos": VOS, "users": {}, "images": {}, "flavors": {}, **changes}
    return Reading(**given)


def row(of: str = "vm-00010", **changes: Any) -> Dict[str, Any]:
    (found,) = (r for r in RECORDED if r["name"] == of)
    return {**found, **changes}


def machine(of: str = "vm-00010", facts: Any = None, **changes: Any) -> VirtualMachine:
    found = machine_of(row(of, **changes), facts or reading())
    assert isinstance(found, VirtualMachine)
    return found


# name: status of the record, word, started, cpus, MB, GB, public addresses
EXPECTED = {
    "vm-volume": (STARTED, "ACTIVE", True, 1, 512, 0, 0),
    "vm-error": (STARTED, "ERROR", False, 4000, 512, 1, 0),
    "vm-00008": (STARTED, "RESCUE", True, 1, 64, 1, 0),
    "vm-00011": (STARTED, "ERROR", True, 4, 8192, 90, 0),
    "vm-00010": (STARTED, "ACTIVE", True, 1, 2048, 20, 1),
    "vm-00009": (SUSPENDED, "SHELVED_OFFLOADED", True, 1, 512, 1, 0),
    "vm-00007": (STARTED, "VERIFY_RESIZE", True, 8, 16384, 100, 0),
    "vm-00006": (STARTED, "ACTIVE", True, 1, 2048, 20, 1),
    "vm-00001": (SUSPENDED, "SUSPENDED", True, 1, 512, 1, 1),
    "vm-00003": (SUSPENDED, "SHELVED", True, 4, 8192, 90, 0),
    "vm-00000": (SUSPENDED, "SHUTOFF", True, 1, 64, 1, 0),
    "vm-00002": (SUSPENDED, "PAUSED", True, 1, 2048, 20, 0),
    "vm-00005": (COMPLETED, "DELETED", True, 1, 512, 1, None),
    "vm-00004": (COMPLETED, "DELETED", True, 1, 64, 1, None),
    "vm-building": (STARTED, "BUILD", False, 1, 2048, 20, 0),
}


def test_every_recorded_state() -> None:
    page = read_page(RECORDED, reading())
    assert page.unreadable == []
    assert page.nonsense == []
    assert {
        m.name: (m.status, m.cloud_status, m.start is not None, m.cpu_count, m.memory, m.disk, m.public_ips)
        for m in page.machines
    } == EXPECTED


def test_a_deleted_server_in_full() -> None:
    found = machine("vm-00005")
    assert found == VirtualMachine(
        uuid=row("vm-00005")["id"],
        name="vm-00005",
        status=COMPLETED,
        cloud_status="DELETED",
        user=row("vm-00005")["user_id"],
        group=row("vm-00005")["tenant_id"],
        global_user=None,
        vo="vo.example.org",
        start=instant("2026-11-22T14:54:13Z"),
        end=instant("2026-11-22T14:54:32Z"),
        changed=instant("2026-11-22T14:54:32Z"),
        cpu_count=1,
        memory=512,
        disk=1,
        image=IMAGE,
        public_ips=None,
    )


def test_an_old_cloud_takes_the_size_from_the_list_of_flavors() -> None:
    document = json.loads((DATA / "servers-2.1.json").read_bytes())
    facts = reading()
    flavors = {f["id"]: flavor(f, facts) for f in document["flavors"]}
    old = {m.uuid: m for m in read_page(document["servers"], reading(flavors=flavors)).machines}
    new = {m.uuid: m for m in read_page(RECORDED, reading()).machines}
    assert len(old) == 12
    assert all(old[uuid] == new[uuid] for uuid in old)
    lost = read_page(document["servers"], facts)
    assert lost.machines == []
    assert "not known any more" in lost.unreadable[0].reason


def test_start_is_the_creation_since_a_launch_is_repeated() -> None:
    assert machine("vm-00007").start == instant(row("vm-00007")["created"])
    assert instant(row("vm-00007")["OS-SRV-USG:launched_at"]) > instant(row("vm-00007")["created"])


@pytest.mark.parametrize(
    ("launched", "terminated", "start", "end"),
    [
        ("2026-11-22T14:54:27.000000", "2026-11-22T15:00:00.999999", True, "2026-11-22T15:00:00Z"),
        ("2026-11-22T14:54:27.000000", None, True, "2026-11-22T14:54:27Z"),
        # the clock of the host was behind: no record of a negative life
        ("2026-11-22T14:54:27.000000", "2026-11-22T14:00:00.000000", True, "2026-11-22T14:54:15Z"),
        (None, "2026-11-22T15:00:00.000000", False, None),
        (None, None, False, None),
    ],
)
def test_the_end_of_a_deleted_server(launched: Any, terminated: Any, start: bool, end: Any) -> None:
    found = machine(status="DELETED", **{"OS-SRV-USG:launched_at": launched, "OS-SRV-USG:terminated_at": terminated})
    assert found.status == COMPLETED
    assert (found.start is not None) == start
    assert found.end == (instant(end) if end else None)


def test_a_server_that_is_being_deleted_has_no_end_yet() -> None:
    found = machine(**{"OS-SRV-USG:terminated_at": "2026-11-22T15:00:00.000000", "OS-EXT-STS:task_state": "deleting"})
    assert (found.status, found.end) == (STARTED, None)


@pytest.mark.parametrize(("word", "started"), [("ACTIVE", True), ("BUILD", False), ("ERROR", False), ("DELETED", True)])
def test_where_launches_are_not_told_the_status_says_enough(word: str, started: bool) -> None:
    bare = {k: v for k, v in row(status=word).items() if not k.startswith("OS-SRV-USG")}
    found = machine_of(bare, reading())
    assert isinstance(found, VirtualMachine)
    assert (found.start is not None) == started


def test_names_learnt_in_the_run() -> None:
    user = row()["user_id"]
    facts = reading(users={user: "/C=GR/CN=ops User 1"}, images={IMAGE: "https://images.example.org/1:2"})
    found = machine(facts=facts)
    assert (found.global_user, found.image) == ("/C=GR/CN=ops User 1", "https://images.example.org/1:2")
    assert machine("vm-volume", facts).image is None


def address(text: str, kind: str = "fixed") -> Dict[str, Any]:
    return {"addr": text, "OS-EXT-IPS:type": kind, "version": 6 if ":" in text else 4}


@pytest.mark.parametrize(
    ("addresses", "changes", "count"),
    [
        ({"net": [address("10.0.0.1"), address("198.18.0.1", "floating")]}, {}, 1),
        ({"net": [address("193.1.2.3"), address("2001:648:2ffc::1"), address("fd00::1")]}, {}, 2),
        ({"net": [address("193.1.2.3")]}, {"count_fixed": False}, 0),
        ({"campus": [address("172.16.0.9")], "net": []}, {"public_networks": frozenset({"campus"})}, 1),
        ({"net": [address("no address")]}, {}, 0),
        ({}, {}, 0),
        (None, {}, None),
    ],
)
def test_public_addresses(addresses: Any, changes: Any, count: Any) -> None:
    assert machine(facts=reading(**changes), addresses=addresses).public_ips == count


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ({}, ("HEPscore23", 10.0)),
        ({"accounting:benchmark_type": "HEPSPEC06", "accounting:benchmark_value": "12.5"}, ("HEPSPEC06", 12.5)),
        ({"accounting:benchmark_type": "HEPSPEC06"}, ("HEPscore23", 10.0)),
        ({"accounting:benchmark_type": "HEPSPEC06", "accounting:benchmark_value": "fast"}, ("HEPscore23", 10.0)),
        ({"accounting:benchmark_type": "HEPSPEC06", "accounting:benchmark_value": "nan"}, ("HEPscore23", 10.0)),
    ],
)
def test_benchmarks(specs: Any, expected: Any) -> None:
    facts = reading(benchmark_type="HEPscore23", benchmark=10.0)
    found = machine(facts=facts, flavor={**row()["flavor"], "extra_specs": specs})
    assert (found.benchmark_type, found.benchmark) == expected


NONSENSE: List[Dict[str, Any]] = [
    {"created": "yesterday"},
    {"created": 1795359255},
    {"created": None},
    {"updated": "2026-02-30T00:00:00Z"},
    {"updated": "2026-11-22T14:54:27+01:00"},
    {"name": 7},
    {"user_id": None},
    {"flavor": "m1.small"},
    {"flavor": {"vcpus": "2", "ram": 1, "disk": 1}},
    {"flavor": {"vcpus": True, "ram": 1, "disk": 1}},
    {"flavor": {"vcpus": -1, "ram": 1, "disk": 1}},
    {"flavor": {"vcpus": 1, "ram": 10**30, "disk": 1}},
    {"flavor": {"vcpus": 1, "ram": 1.5, "disk": 1}},
    {"flavor": {"vcpus": 1, "ram": 1}},
    {"flavor": {"id": ["x"]}},
    {"image": 5},
    {"image": {"links": []}},
    {"addresses": [1]},
    {"addresses": {"net": [7]}},
    {"addresses": {"net": [{}]}},
    {"status": ["ACTIVE"]},
]


@pytest.mark.parametrize("change", NONSENSE)
def test_a_row_of_nonsense_is_unreadable_and_costs_the_others_nothing(change: Dict[str, Any]) -> None:
    bad = row("vm-00006", **change)
    page = read_page([row(), bad], reading())
    assert [m.name for m in page.machines] == ["vm-00010"]
    assert [entry.uuid for entry in page.unreadable] == [bad["id"]]
    assert page.unreadable[0].reason
    with pytest.raises(ValueError, match="."):
        read_page([bad], reading())


@pytest.mark.parametrize("bad", [None, 7, [], {}, {"id": "x"}, {"id": "../..", "tenant_id": next(iter(VOS))}])
def test_what_is_no_server_is_told_apart(bad: Any) -> None:
    page = read_page([row(), bad], reading())
    assert (len(page.machines), page.unreadable, len(page.nonsense)) == (1, [], 1)


def test_stubs_and_unknown_states_are_honest_answers() -> None:
    stub = {key: row()[key] for key in ("id", "tenant_id", "created")}
    strange = row("vm-00006", status="UNKNOWN")
    page = read_page([{**stub, "status": "UNKNOWN"}, strange], reading())
    assert page.machines == []
    assert page.unreadable == [
        Unreadable(stub["id"], "the cloud shows it without its description"),
        Unreadable(strange["id"], "its status is 'UNKNOWN'"),
    ]


def test_other_projects_and_live_servers_are_passed_over() -> None:
    foreign = row(tenant_id="f" * 32, created="nonsense")
    assert read_page([foreign], reading()) == ([], [], [])
    assert [m.name for m in read_page(RECORDED, reading(), only_deleted=True).machines] == ["vm-00005", "vm-00004"]
    assert read_page([], reading()) == ([], [], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T14:54:13Z", 1795359253),
        ("2026-11-22T14:54:13.999999", 1795359253),
        ("2026-11-22T14:54:13+00:00", 1795359253),
        ("2024-02-29 00:00:00", 1709164800),
    ],
)
def test_instants(text: str, expected: int) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    "text", ["", "2026-11-22", "2026-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "0000-00-00T00:00:00Z"]
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        instant(text)
