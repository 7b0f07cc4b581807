"""A machine of the contract, from a row and what is known."""

from __future__ import annotations

import json

import pytest

from fedcloud_agent.clouds.contract import Problem, VirtualMachine
from fedcloud_plugins.opennebula.history import needs_history
from fedcloud_plugins.opennebula.mapping import machine_of, vo_of
from fedcloud_plugins.opennebula.pools import Cluster, Host, Image, User
from fedcloud_plugins.opennebula.row import Form, row_of
from fedcloud_plugins.opennebula.settings import VoSettings
from fedcloud_plugins.opennebula.states import _LCM_STATES, _OFF
from fedcloud_plugins.opennebula.trace import Trace, trace_of, written
from tests.unit.opennebula.elements import START, Site, machine, parsed, reading, row, told

RAN = [{"STIME": 5, "RSTIME": 5}]
JANE = User(2, "jane", "", {"X509_DN": "/C=XX/CN=Jane"})
SITE = Site(
    users={2: JANE, 4: User(4, "carla", "", {})},
    images={0: Image(0, "uri:alma9", 1024), 5: Image(5, None, 3000)},
    hosts={0: Host(0, 0, "HEPscore23", 17.25)},
    clusters={0: Cluster(0, None, None, "EXAMPLE-EAST")},
)


def test_a_recorded_machine_in_full() -> None:
    given = row_of(parsed("vm-36-disks-nics.xml"), Form.FULL)
    found = machine(given, None, reading(2000, SITE))
    assert found == VirtualMachine(
        uuid="http://one.example.org:2633/rpc2/compute/36 2026-11-22 15:15:10+00:00",
        name="multi-disk-multi-nic",
        status="started",
        cloud_status="ACTIVE/RUNNING",
        user="4",
        group="101",
        global_user=None,
        vo="vo.example.org",
        start=1795360510,
        end=None,
        changed=1795360526,
        cpu_count=1,
        memory=256,
        disk=9,  # 9216 MB without the CD
        image="uri:alma9",
        public_ips=2,
        running=((1795360526, None),),
        network_in=1604,
        network_out=1454,
        benchmark_type="HEPscore23",
        benchmark=17.25,
        site="EXAMPLE-EAST",
        trace="[1,[0,1795360526,0],[1795360526,0],false,[0,1795360526],[1604,1454,1795361304]]",
    )
    assert (
        Problem("user egi_4f2a9c_vo", "neither DN nor Check-in identifier is known; records name nobody")
        in (machine_of(given, None, reading(2000, SITE))[1])
    )


def test_the_recorded_machine_of_an_account_that_is_gone() -> None:
    given = row_of(parsed("vm-of-deleted-user.xml"), Form.FULL)
    found = machine(given, None, reading(2000, vos={"fedcloud.egi.eu": VoSettings(group="fedcloud.egi.eu")}))
    assert (found.start, found.running, found.global_user, found.image) == (None, (), None, None)


def test_a_group_without_vo_is_told_in_the_same_words_for_all_its_machines() -> None:
    for number in (1, 2):
        found, problems = machine_of(row(3, 3, RAN, ID=number, GNAME="users", GID=1), None, reading())
        assert found is None
        assert problems == [Problem("group users", "it serves no VO; its machines are not accounted")]


def test_a_group_by_its_id() -> None:
    assert machine(row(3, 3, RAN, GNAME="other", GID=103)).vo == "vo.example.org"


def test_a_machine_that_left_its_group_stays_with_its_vo() -> None:
    known = machine(row(3, 3, RAN))
    moved = row(3, 3, RAN, GNAME="users", GID=1)
    found = machine(moved, known)
    assert (found.vo, found.group) == ("vo.example.org", "100")
    assert any("accounted to vo.example.org as before" in problem.reason for problem in told(moved, known))
    # but where the group is no longer of any VO, nothing is accounted
    assert vo_of(row(3, 3, RAN), known, reading(vos={"ops": VoSettings(group="ops")})) is None


def test_what_was_resolved_at_first_sight_stands() -> None:
    disk = [("MEMORY", 1), ("DISK", [("DISK_ID", 0), ("IMAGE_ID", 0), ("SIZE", 1)])]
    known = machine(row(3, 3, RAN, template=disk), None, reading(100, SITE))
    assert (known.global_user, known.image) == ("/C=XX/CN=Jane", "uri:alma9")
    found = machine(row(3, 3, RAN, template=disk), known, reading(200, Site()))
    assert (found.global_user, found.image) == ("/C=XX/CN=Jane", "uri:alma9")
    assert (found.benchmark_type, found.benchmark, found.site) == ("HEPscore23", 17.25, "EXAMPLE-EAST")
    # another owner is another person
    given = row(3, 3, RAN, template=disk, UID=4)
    assert machine_of(given, known, reading(200, SITE))[0]._asdict()["global_user"] is None  # type: ignore[union-attr]
    # another host, another speed
    moved = [{**RAN[0], "RETIME": 50}, {"STIME": 50, "RSTIME": 50, "HID": 3}]
    assert machine(row(3, 3, moved, template=disk), known, reading(200, SITE)).benchmark is None


def test_sizes() -> None:
    def disk(*sizes: object) -> int:
        disks = [
            ("DISK", [("DISK_ID", n), *(size if isinstance(size, list) else [("SIZE", size)])])
            for n, size in enumerate(sizes)
        ]
        return machine(row(3, 3, RAN, template=[("MEMORY", 1), *disks]), None, reading(100, SITE)).disk

    assert disk() == 0
    assert disk(1) == 1
    assert disk(1024) == 1
    assert disk(1024, 1) == 2
    assert disk(1024, [("TYPE", "CDROM"), ("SIZE", 9000)]) == 1
    # early releases tell the size with the image only
    assert disk([("IMAGE_ID", 5)]) == 3
    assert disk([("IMAGE_ID", 77)]) == 0
    for text, count in (("4", 4), ("", 1), ("0", 1)):
        assert machine(row(3, 3, RAN, template=[("MEMORY", 1), ("VCPU", text)])).cpu_count == count


def test_a_resize_is_dated_by_its_record() -> None:
    known = machine(row(3, 3, RAN))
    assert known.changed == START + 5
    resized = [
        {**RAN[0], "RETIME": 50, "ACTION": 35},
        {"STIME": 50, "RSTIME": 50, "RETIME": 80, "ACTION": 21},
        {"STIME": 80, "RSTIME": 80},
    ]
    found = machine(row(3, 3, resized), known)
    assert found.changed == START + 50
    assert machine(row(3, 3, resized, form=Form.LAST), found).changed == START + 50


def test_the_end() -> None:
    ended = [{"STIME": 5, "RSTIME": 5, "RETIME": 20, "ETIME": 25}]
    assert machine(row(6, 0, ended, etime=30)).end == START + 30
    assert machine(row(6, 0, ended)).end == START + 25
    assert machine(row(6, 0, RAN), None, 77).end == START + 77
    # never before the start; and none where it never started
    assert machine(row(6, 0, RAN, etime=-50)).end == START
    assert machine(row(6, 0, etime=30)).end is None


def test_addresses_of_a_machine_that_is_gone_are_those_that_were_known() -> None:
    nic = [("MEMORY", 1), ("NIC", [("IP", "147.251.3.10")])]
    known = machine(row(3, 3, RAN, template=nic))
    assert known.public_ips == 1
    assert machine(row(6, 0, RAN, etime=30), known).public_ips == 1
    assert machine(row(6, 0, RAN, etime=30, template=nic)).public_ips == 1


def test_the_short_form_keeps_what_it_leaves_out() -> None:
    full = row_of(parsed("vm-3-busy.xml"), Form.FULL)
    short = next(r for r in (row_of(e, Form.SHORT) for e in parsed("vmpool-short.xml")) if r.id == 3)
    known = machine(full, None, reading(2000, SITE))
    assert not needs_history(short, known)
    assert machine(short, known, reading(3000, SITE)) == known
    # early releases leave VCPU out
    assert machine(short._replace(vcpu=0), known, reading(3000, SITE)).cpu_count == known.cpu_count == 4


def test_traces() -> None:
    assert trace_of(None) is None
    known = machine(row(3, 3, RAN))
    trace = trace_of(known)
    assert trace is not None
    assert written(trace) == known.trace
    assert len(written(trace)) < 200
    for nonsense in (
        "",
        "{}",
        "[]",
        "[1,2,3,4,5,6]",
        '[1,"abc",null,0,null,[0,0,0]]',
        "[2,null,null,false,null,[0,0,0]]",
    ):
        broken = known._replace(trace=nonsense)
        assert trace_of(broken) is None
        # then everything is read again, and what is known still stands
        later = [{**RAN[0], "RETIME": 50}, {"STIME": 60, "RSTIME": 60}]
        assert needs_history(row(3, 3, later, form=Form.LAST), broken)
        assert machine(row(3, 3, later), broken).running == ((START + 5, START + 50), (START + 60, None))
    assert json.loads(written(Trace())) == [1, None, None, False, None, [0, 0, 0]]


def test_states_by_number() -> None:
    assert len(_LCM_STATES) == 72
    assert [_LCM_STATES[n] for n in (3, 16, 36, 43, 60, 66, 71)] == [
        "RUNNING", "UNKNOWN", "BOOT_FAILURE", "PROLOG_MIGRATE_POWEROFF", "PROLOG_MIGRATE_UNKNOWN", "HOTPLUG_RESIZE",
        "RESTORE",
    ]  # fmt: skip
    assert {27, 28, 33, 34, 43, 44, 45, 46, 51, 52, 53, 54, 55, 56, 63, 64, 65, 67, 68, 70, 71} == _OFF


@pytest.mark.parametrize(
    ("state", "word", "status"),
    [
        (0, "INIT", "started"),
        (1, "PENDING", "started"),
        (2, "HOLD", "started"),
        (4, "STOPPED", "suspended"),
        (5, "SUSPENDED", "suspended"),
        (6, "DONE", "completed"),
        (7, "FAILED", "completed"),
        (8, "POWEROFF", "suspended"),
        (9, "UNDEPLOYED", "suspended"),
        (10, "CLONING", "started"),
        (11, "CLONING_FAILURE", "started"),
    ],
)
def test_states(state: int, word: str, status: str) -> None:
    found = machine(row(state, 0))
    assert (found.cloud_status, found.status, found.start, found.running) == (word, status, None, ())
