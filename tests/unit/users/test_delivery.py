"""The order in which a push is checked, and the exit codes of what is refused."""

from __future__ import annotations

from typing import Dict, Optional

import pytest

from fedcloud_agent.users import refusal
from fedcloud_agent.users.delivery import Rules, accept
from fedcloud_agent.users.refusal import PushError

RULES = Rules(frozenset({"cloud.example.org"}), frozenset({"FACILITY"}), frozenset({"denied"}))
GOOD: Dict[str, bytes] = {
    "HOSTNAME": b"cloud.example.org",
    "FACILITY": b"FACILITY\n",
    "SERVICE": b"fedcloud_export\n",
    "VERSION": b"3.1.0\n",
    "CLOUD_PLATFORM": b"opennebula",
    "fedcloud_export": b"",
}


def code(without: str = "", **changes: bytes) -> int:
    members = {name: content for name, content in {**GOOD, **changes}.items() if name not in without.split()}
    try:
        accept(members, RULES)
    except PushError as error:
        return error.exit_code
    return -1


def test_what_is_good() -> None:
    delivery = accept({**GOOD, "RUN_ID": b"77"}, RULES)
    assert (delivery.facility, delivery.service, delivery.run, delivery.note) == (
        *("FACILITY", "fedcloud_export", "77"),
        None,
    )
    assert delivery.population(5).as_of == 5


def test_edge_2_the_data_file_is_missing() -> None:
    assert code("fedcloud_export") == refusal.NO_DATA == 208
    assert code(SERVICE=b"opennebula_egi\n", VERSION=b"3.0.0") == 208


def test_edge_3_what_is_missing() -> None:
    assert code("SERVICE") == refusal.UNKNOWN_SERVICE == 203
    assert code("VERSION") == refusal.NO_VERSION == 201
    assert code("HOSTNAME FACILITY") == code("FACILITY") == refusal.NOT_FOR_US == 9
    assert code(HOSTNAME=b"x", FACILITY=b"y") == 9
    assert code(HOSTNAME=b"x") == code(FACILITY=b"y") == -1


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.1.0", -1), ("3.1.9", -1), ("3.2.0", 200), ("4.1.0", 200), ("3.1", 200), ("3", 200), ("3.1.0.1", 200)],
)
def test_edge_7_versions(version: str, expected: int) -> None:
    assert code(VERSION=f"{version}\nmore\n".encode()) == expected


def test_another_patch_release_is_noted() -> None:
    note = accept({**GOOD, "VERSION": b"3.1.9"}, RULES).note
    assert note is not None and "3.1.9" in note


def test_edge_8_services() -> None:
    assert code(SERVICE=b"nfs\n") == 203
    assert code(SERVICE=b"denied\n") == 0


@pytest.mark.parametrize(
    "host",
    [
        "cloud.example.org\n",
        "Cloud.Example.org",
        "https://cloud.example.org:8443/perun",
        "fedcloud@cloud.example.org:2222",
    ],
)
def test_edge_9_spellings_of_the_host(host: str) -> None:
    assert code(HOSTNAME=host.encode(), FACILITY=b"other") == -1


def test_what_is_checked_first() -> None:
    assert code("SERVICE VERSION fedcloud_export", HOSTNAME=b"x", FACILITY=b"y") == 9
    assert code("VERSION fedcloud_export", SERVICE=b"nfs") == 203
    assert code("fedcloud_export CLOUD_PLATFORM", VERSION=b"9.9.9") == 200


@pytest.mark.parametrize("platform", [None, b"", b"windows"])
def test_platforms(platform: Optional[bytes]) -> None:
    assert (code("CLOUD_PLATFORM") if platform is None else code(CLOUD_PLATFORM=platform)) == 100


def test_a_service_of_the_generic_generator() -> None:
    members = {**GOOD, "SERVICE": b"egi_users\n", "GEN_LOOKUP": b"egi_users\n", "VERSION": b"3.0.0\n"}
    members["egi_users.json"] = b"{}"
    assert accept(members, RULES).data == b"{}"
    assert code(SERVICE=b"egi_users\n", GEN_LOOKUP=b"other\n", VERSION=b"3.0.0\n") == 203
