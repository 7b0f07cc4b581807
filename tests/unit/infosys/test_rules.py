"""Each rule both ways: it is silent over a good tree, and speaks of the entry that is changed so as to break it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

import pytest

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import IN_ORDER, Entry
from fedcloud_agent.infosys.rules.finding import ERROR, Finding
from fedcloud_agent.infosys.rules.inspection import inspect
from fedcloud_agent.infosys.words import moment
from tests.unit.infosys.world import NOW, site

ROOT = Path(__file__).parents[3]
DAY = 86400
YEAR = 365 * DAY

TREE = list(glue20.entries(site(), NOW))
DOOR = "GLUE2EndpointID=https://ks"
SERVICE = "GLUE2ServiceID=ks.example.org_main_cloud.compute"
DOMAIN = "GLUE2DomainID"
PLACE = "GLUE2LocationID"
MANAGER = "GLUE2ManagerID=ks.example.org_main_manager"
SIZE = "GLUE2ResourceID=ks.example.org_main_type_1"
SHARE = "GLUE2ShareID=ks.example.org_main_share_ops"
SPACE = "GLUE2StorageServiceCapacityID=ks"
IMAGE = "GLUE2ApplicationEnvironmentID=ks.example.org_main_image_img-1"
OTHER_IMAGE = "GLUE2ApplicationEnvironmentID=ks.example.org_main_image_img-2"
GROUP = "GLUE2GroupID=cloud"

E = "GLUE2ExecutionEnvironment"
DOWN = "GLUE2EndpointDowntime"
CAPACITY = "GLUE2StorageServiceCapacity"
CM = "GLUE2ComputingManager"
CS = "GLUE2ComputingService"
CREATED, VALID = "GLUE2EntityCreationTime", "GLUE2EntityValidity"


class Case(NamedTuple):
    rule: str
    where: str
    """With what the DN of the entry begins."""
    changes: Dict[str, Optional[str]]
    """Attributes to replace; None: to remove."""


def at(offset: int) -> str:
    return moment(NOW + offset)


CASES = [
    Case("E001", DOOR, {CREATED: at(121)}),
    Case("W001", DOOR, {CREATED: at(-2 * YEAR - 1), VALID: str(3 * YEAR)}),
    Case("E002", DOOR, {CREATED: at(-3700)}),
    Case("E002", DOOR, {CREATED: at(-601), VALID: "60"}),
    Case("W002", DOOR, {CREATED: None}),
    Case("E010", DOOR, {"GLUE2EndpointStartTime": at(1)}),
    Case("W006", DOOR, {"GLUE2EndpointStartTime": at(-2 * YEAR - 1)}),
    Case("E011", DOOR, {DOWN + "Announce": at(1), DOWN + "Start": at(DAY)}),
    Case("W007", DOOR, {DOWN + "Announce": at(-YEAR - 1), DOWN + "Start": at(DAY), DOWN + "End": at(2 * DAY)}),
    Case("W008", DOOR, {DOWN + "Announce": at(-1)}),
    Case("E012", DOOR, {DOWN + "Start": at(2 * DAY), DOWN + "End": at(DAY)}),
    Case("W009", DOOR, {DOWN + "Start": at(YEAR + 1)}),
    Case("W010", DOOR, {DOWN + "Start": at(-YEAR - 1)}),
    Case("E013", DOOR, {DOWN + "End": at(DAY)}),
    Case("W011", DOOR, {DOWN + "Start": at(DAY), DOWN + "End": at(YEAR + 1)}),
    Case("W012", DOOR, {DOWN + "Start": at(-9 * DAY), DOWN + "End": at(-8 * DAY)}),
    Case("E008", PLACE, {"GLUE2LocationLongitude": "180"}),
    Case("E008", PLACE, {"GLUE2LocationLongitude": "east"}),
    Case("E009", PLACE, {"GLUE2LocationLatitude": "-90.0"}),
    Case("E014", SPACE, {CAPACITY + "UsedSize": "4100"}),
    Case("E015", SPACE, {CAPACITY + "FreeSize": "10001"}),
    Case("E016", SPACE, {CAPACITY + "UsedSize": "10001"}),
    Case("E017", SPACE, {CAPACITY + "ReservedSize": "10001"}),
    Case("E021", SHARE, {"objectClass": "GLUE2CloudComputingShare"}),
    Case("E021", SHARE, {"objectClass": "top"}),
    Case("E025", SERVICE, {"objectClass": CS}),
    Case("E026", PLACE, {"GLUE2LocationDomainForeignKey": "example-site"}),
    Case("E026", SERVICE, {"GLUE2ServiceAdminDomainForeignKey": "OTHER"}),
    Case("K001", SIZE, {"GLUE2ResourceManagerForeignKey": "nobody"}),
    Case("K001", SHARE, {"GLUE2ShareResourceForeignKey": "nothing"}),
    Case("K002", OTHER_IMAGE, {"GLUE2ApplicationEnvironmentID": "ks.example.org_main_image_img-1"}),
    Case("K003", DOOR, {IN_ORDER[2]: None}),
    Case("K004", DOOR, {IN_ORDER[0]: "Open Stack"}),
    Case("K004", DOOR, {IN_ORDER[1]: "https://ks.example.org/a,b"}),
    Case("K004", IMAGE, {"GLUE2ApplicationEnvironmentDescription": "see DN: x"}),
    Case("K004", IMAGE, {"GLUE2ApplicationEnvironmentDescription": "below o=glue"}),
    Case("K005", SIZE, {E + "MainMemorySize": None}),
    Case("K005", DOOR, {"GLUE2EndpointHealthState": None}),
    Case("K006", SIZE, {E + "LogicalCPUs": "two"}),
    Case("K006", SIZE, {E + "LogicalCPUs": "02"}),
    Case("K006", IMAGE, {"GLUE2ApplicationEnvironmentAppVersion": ""}),
    Case("K007", GROUP, {CREATED: at(0)}),
    Case("K010", DOOR, {IN_ORDER[1]: "https://keystone:5000/v3"}),
    Case("K010", DOOR, {IN_ORDER[1]: "https://[2001:db8::1]:5000/v3"}),
    Case("K010", DOOR, {IN_ORDER[1]: "gopher://ks.example.org/"}),
    Case("K010", DOOR, {IN_ORDER[1]: "https://ks.example.org:99999/"}),
    Case("W003", DOMAIN, {"GLUE2EntityOtherInfo": "ProfileName=OTHER"}),
    Case("W004", DOMAIN, {"GLUE2EntityOtherInfo": "ProfileVersion="}),
    Case("W005", SERVICE, {CS + "TotalJobs": "120"}),
    Case("W013", DOOR, {"GLUE2ComputingEndpointTotalJobs": "9", "GLUE2ComputingEndpointRunningJobs": "1"}),
    Case("W030", MANAGER, {CM + "TotalPhysicalCPUs": "129"}),
    Case("W031", MANAGER, {CM + "TotalSlots": "257"}),
    Case("W032", MANAGER, {CM + "SlotsUsedByLocalJobs": "256"}),
    Case("W033", MANAGER, {CM + "SlotsUsedByGridJobs": "256"}),
    Case("W034", MANAGER, {"GLUE2ManagerProductVersion": None}),
    Case("W036", SIZE, {E + "OSName": "Ubuntu|Debian"}),
    Case("W039", SERVICE, {"GLUE2ServiceID": "_x"}),
    Case("W040", DOOR, {"GLUE2EndpointID": "_x"}),
    Case("W041", DOOR, {"GLUE2EndpointImplementationVersion": "nova is not installed"}),
    Case("W042", SIZE, {E + "Platform": "aarch64"}),
    Case("W043", SIZE, {E + "OSFamily": "haiku"}),
    Case("W044", SIZE, {E + "OSName": "Rocky"}),
    Case("I014", SERVICE, {CS + "TotalJobs": "1000001"}),
    Case("I015", SERVICE, {CS + "RunningJobs": "1000001"}),
    Case("I016", SERVICE, {CS + "WaitingJobs": "1000001"}),
    Case("I017", SERVICE, {CS + "StagingJobs": "1000001"}),
    Case("I018", SERVICE, {CS + "SuspendedJobs": "1000001"}),
    Case("I019", DOOR, {"GLUE2EndpointIssuerCA": "Unknown"}),
    Case("I020", DOOR, {"GLUE2EndpointTrustedCA": "unknown"}),
    Case("I021", MANAGER, {CM + "TotalPhysicalCPUs": "9"}),
    Case("I022", MANAGER, {CM + "TotalLogicalCPUs": "9"}),
    Case("I023", MANAGER, {CM + "TotalSlots": "9"}),
    Case("I063", SIZE, {E + "TotalInstances": "9"}),
    Case("I064", SIZE, {E + "TotalInstances": "10", E + "UsedInstances": "11"}),
    Case("I065", SIZE, {E + "TotalInstances": "10", E + "UnavailableInstances": "11"}),
    Case("I067", SIZE, {E + "PhysicalCPUs": "11"}),
    Case("I068", SIZE, {E + "LogicalCPUs": "1000"}),
    Case("I069", SIZE, {E + "CPUClockSpeed": "99"}),
    Case("I070", SIZE, {E + "CPUTimeScalingFactor": "0.9"}),
    Case("I071", SIZE, {E + "WallTimeScalingFactor": "2"}),
    Case("I072", SIZE, {E + "MainMemorySize": "99"}),
    Case("I073", SIZE, {E + "VirtualMemorySize": "1000000"}),
    Case("I095", MANAGER, {CM + "TotalSlots": None}),
    Case("W037", SIZE, {E + "ConnectivityIn": "perhaps"}),
    Case("W037", SIZE, {E + "CPUMultiplicity": "one"}),
    Case("W037", DOMAIN, {"GLUE2DomainWWW": "cloud.example.org"}),
    Case("W037", SPACE, {CAPACITY + "Type": "somewhere"}),
]


def changed(case: Case) -> List[Entry]:
    entries = []
    for entry in TREE:
        if entry.dn.startswith(case.where):
            attributes = dict(entry.attributes)
            for name, value in case.changes.items():
                attributes.pop(name, None)
                if value is not None:
                    attributes[name] = tuple(value.split("|"))
            entry = Entry(entry.dn, attributes)
        entries.append(entry)
    return entries


def breaches(entries: Iterable[Entry], now: int = NOW) -> Set[Tuple[str, str]]:
    return {(one.rule, one.dn) for one in inspect(entries, now)}


GOOD = breaches(TREE)


def name(case: Case) -> str:
    return f"{case.rule}-{next(iter(case.changes))}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_rule_is_silent_over_what_is_good_and_speaks_of_what_is_not(case: Case) -> None:
    dn = next(entry.dn for entry in TREE if entry.dn.startswith(case.where))
    assert (case.rule, dn) not in GOOD
    assert (case.rule, dn) in breaches(changed(case))


def without(chosen: Callable[[Entry], bool]) -> List[Entry]:
    return [entry for entry in TREE if not chosen(entry)]


def of_class(name: str) -> Callable[[Entry], bool]:
    return lambda entry: name in entry.classes


@pytest.mark.parametrize(
    ("rule", "missing", "blamed"),
    [
        ("E025", "GLUE2Location", DOMAIN),
        ("E025", "GLUE2Contact", DOMAIN),
        ("E025", "GLUE2AccessPolicy", DOOR),
        ("E025", "GLUE2MappingPolicy", SHARE),
        ("E025", E, MANAGER),
        ("E025", CM, SERVICE),
        ("E025", "GLUE2StorageAccessProtocol", "GLUE2ServiceID=cdmi"),
        ("K001", "GLUE2AdminDomain", SERVICE),
        ("K008", "GLUE2StorageService", "GLUE2ManagerID=cdmi"),
    ],
)
def test_what_must_not_be_without_another_is_named(rule: str, missing: str, blamed: str) -> None:
    dn = next(entry.dn for entry in TREE if entry.dn.startswith(blamed))
    assert (rule, dn) in breaches(without(of_class(missing)))


def test_the_same_twice_is_named() -> None:
    share = next(entry for entry in TREE if entry.dn.startswith(SHARE))
    assert ("K002", share.dn) in breaches([*TREE, share])


def test_the_order_of_the_three_is_judged() -> None:
    entries = []
    for entry in TREE:
        attributes = dict(entry.attributes)
        if IN_ORDER[0] in attributes:
            attributes[IN_ORDER[0]] = attributes.pop(IN_ORDER[0])
        entries.append(Entry(entry.dn, attributes))
    assert {rule for rule, _ in breaches(entries) - GOOD} == {"K003"}


def test_any_order_of_entries_will_do() -> None:
    assert breaches(reversed(TREE)) == GOOD


def test_a_part_of_a_tree_can_be_judged_by_itself() -> None:
    part = [entry for entry in TREE if entry.dn.endswith(f"{DOMAIN}=EXAMPLE-SITE,o=glue")]
    assert breaches(part) == GOOD


def test_a_good_tree_has_no_error_and_only_the_warnings_that_clouds_cannot_avoid() -> None:
    found = list(inspect(TREE, NOW))
    assert [one for one in found if one.severity == ERROR] == []
    assert {one.rule for one in found if one.rule[0] == "W"} == {"W034", "W037"}
    for one in found:
        if one.rule == "W037":
            assert "GLUE2ServiceType" in one.message or "GLUE2EndpointInterfaceName" in one.message
        elif one.rule == "W034":  # doors of which the site did not tell a version
            assert one.dn.startswith(
                ("GLUE2EndpointID=https://occi", "GLUE2EndpointID=https://cdmi", "GLUE2Manager")
            ) or ("swift" in one.dn)


def test_every_rule_has_its_severity_its_test_and_its_line_in_the_reference() -> None:
    source = "".join(path.read_text() for path in (ROOT / "fedcloud_agent/infosys/rules").glob("*.py"))
    rules = set(re.findall(r'"([EWIK]\d{3})"', source))
    tested = {case.rule for case in CASES} | {"K008"}
    assert rules == tested
    documented = set(re.findall(r"\b[EWIK]\d{3}\b", (ROOT / "docs/reference/glue.md").read_text()))
    assert rules - documented == set()
    assert Finding("K001", "", "").severity == ERROR
