"""Reading a VM element: recorded ones, and hostile ones."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.clouds.contract import Unreadable, VirtualMachine
from fedcloud_plugins.opennebula.history import needs_history
from fedcloud_plugins.opennebula.mapping import machine_of
from fedcloud_plugins.opennebula.row import Disk, Form, Sample, row_of, sample_of
from tests.unit.opennebula.elements import START, element, machine, parsed, reading, refused, row

RAN = [{"STIME": 5, "RSTIME": 5}]


def test_a_recorded_machine() -> None:
    found = row_of(parsed("vm-36-disks-nics.xml"), Form.FULL)
    assert (found.id, found.stime, found.etime, found.state, found.lcm_state) == (36, 1795360510, 0, 3, 3)
    assert (found.uid, found.gid, found.uname, found.gname) == (4, 101, "egi_4f2a9c_vo", "vo.example.org")
    assert (found.vcpu, found.memory, found.polled) == (0, 256, 1795361304)
    assert found.disks == (
        Disk(1024, False, 0),
        Disk(1024, False, None),
        Disk(5120, False, None),
        Disk(2048, False, 2),
        Disk(1024, True, 3),
    )
    assert found.first_disk["IMAGE"] == "alma9"
    assert [nic.addresses for nic in found.nics] == [
        ("10.0.0.38", "2001:db8:1::aff:fe00:26"),
        ("147.251.3.10",),
        ("147.251.3.11",),
    ]
    assert found.sample == Sample(1604, 1454, 1795361304)
    assert [(record.seq, record.hid, record.cid, record.rstime) for record in found.history] == [(0, 0, 0, 1795360526)]
    assert found.odd == ()


@pytest.mark.parametrize(
    ("name", "form"),
    [("vmpool-extended.xml", Form.LAST), ("5.4.15-vmpool.xml", Form.LAST), ("vmpool-short.xml", Form.SHORT)],
)
def test_recorded_pools(name: str, form: Form) -> None:
    found = [row_of(vm, form) for vm in parsed(name)]
    assert found
    for one in found:
        assert one.odd == ()
        assert one.memory
        assert len(one.history) <= 1
        assert all((form is Form.SHORT) == (record.stime == 0) for record in one.history)


def test_names_of_all_alphabets() -> None:
    assert row_of(parsed("vm-33-unicode.xml"), Form.FULL).name == "výpočet-узел-01"


def test_what_early_releases_write() -> None:
    vm = fromstring(
        "<VM><ID>3</ID><UID>1</UID><GID>1</GID><UNAME>u</UNAME><GNAME>g</GNAME><NAME>n</NAME><LAST_POLL>1300000500"
        "</LAST_POLL><STATE>3</STATE><LCM_STATE>3</LCM_STATE><STIME>1300000000</STIME><ETIME>0</ETIME><DEPLOY_ID>one-3"
        "</DEPLOY_ID><MEMORY>1024</MEMORY><CPU>5</CPU><NET_TX>70</NET_TX><NET_RX>80</NET_RX><TEMPLATE><CPU>1</CPU>"
        "<DISK><DISK_ID>0</DISK_ID><SOURCE>http://marketplace.example.org/metadata/a/b/c</SOURCE></DISK>"
        "<MEMORY>512</MEMORY><USER_X509_DN>/C=XX/CN=Jane</USER_X509_DN></TEMPLATE><HISTORY_RECORDS><HISTORY>"
        "<SEQ>0</SEQ><HOSTNAME>h</HOSTNAME><HID>0</HID><STIME>1300000010</STIME><ETIME>0</ETIME><VMMMAD>kvm</VMMMAD>"
        "<PSTIME>1300000010</PSTIME><PETIME>1300000020</PETIME><RSTIME>1300000020</RSTIME><RETIME>0</RETIME>"
        "<ESTIME>0</ESTIME><EETIME>0</EETIME><REASON>0</REASON></HISTORY></HISTORY_RECORDS></VM>"
    )
    found = row_of(vm, Form.LAST)
    assert found.odd == ()
    assert found.sample == Sample(80, 70, 1300000500)
    assert found.disks == (Disk(None, False, None),)
    assert found.told["USER_X509_DN"] == "/C=XX/CN=Jane"
    assert found.history[0].cid == -1


def test_samples() -> None:
    flat = fromstring("<MONITORING><ID>1</ID><NETRX>5</NETRX><NETTX>0</NETTX><TIMESTAMP>9</TIMESTAMP></MONITORING>")
    assert sample_of(flat) == Sample(5, 0, 9)
    assert sample_of(fromstring("<MONITORING><NETRX>5</NETRX></MONITORING>"), 7) == Sample(5, 0, 7)
    assert sample_of(fromstring("<MONITORING/>")) is None
    for nonsense in ("-5", "1e9", "9" * 30, "", "٣"):
        assert sample_of(fromstring(f"<MONITORING><NETRX>{nonsense}</NETRX></MONITORING>")) is None


def test_what_cannot_be_told_apart_is_refused() -> None:
    for name, value in (("ID", None), ("ID", "x"), ("ID", -1), ("ID", 2**40), ("STIME", None), ("STIME", "soon")):
        with pytest.raises(ValueError, match="ID or STIME"):
            row(3, 3, RAN, **{name: value})
    with pytest.raises(ValueError, match="ID or STIME"):
        row(3, 3, RAN, STIME=99_999_999_999)
    twice = element(3, 3, RAN)
    SubElement(twice, "ID").text = "8"
    with pytest.raises(ValueError, match="ID twice"):
        row_of(twice, Form.FULL)


@pytest.mark.parametrize("name", ["STATE", "LCM_STATE", "ETIME", "UID", "GID"])
@pytest.mark.parametrize("value", ["", "x", "-7", "9" * 30, "1_000", "٣", "0x10"])
def test_a_core_value_that_is_none(name: str, value: str) -> None:
    assert name in refused(row(3, 3, RAN, **{name: value}))


@pytest.mark.parametrize("name", ["STATE", "ETIME", "UID", "GID"])
def test_a_core_value_that_is_missing(name: str) -> None:
    assert f"no {name}" in refused(row(3, 3, RAN, **{name: None}))


@pytest.mark.parametrize("name", ["STATE", "ETIME", "TEMPLATE", "HISTORY_RECORDS"])
def test_what_comes_twice(name: str) -> None:
    vm = element(3, 3, RAN)
    SubElement(vm, name).text = "1"
    assert f"{name} twice" in refused(row_of(vm, Form.FULL))


@pytest.mark.parametrize("value", ["-5", "many", "9" * 30, "nan", "inf", "1e300", "1_0"])
def test_sizes_that_are_none(value: str) -> None:
    assert "VCPU" in refused(row(3, 3, RAN, template=[("MEMORY", 1), ("VCPU", value)]))
    assert "MEMORY" in refused(row(3, 3, RAN, template=[("MEMORY", value)]))
    assert "SIZE" in refused(row(3, 3, RAN, template=[("MEMORY", 1), ("DISK", [("SIZE", value)])]))


def test_sizes_that_contradict_each_other() -> None:
    assert "VCPU twice" in refused(row(3, 3, RAN, template=[("MEMORY", 1), ("VCPU", 1), ("VCPU", 64)]))
    assert row(3, 3, RAN, template=[("MEMORY", "512.0"), ("VCPU", 2), ("VCPU", 2)]).vcpu == 2
    assert "no MEMORY" in refused(row(3, 3, RAN, template=[]))


@pytest.mark.parametrize("name", ["STIME", "ETIME", "RSTIME", "RETIME", "ESTIME", "EETIME", "SEQ", "HID"])
@pytest.mark.parametrize("value", ["-1", "x", "99999999999", ""])
def test_a_record_that_is_odd(name: str, value: str) -> None:
    vm = element(3, 3, RAN)
    entry = vm.find(f"HISTORY_RECORDS/HISTORY/{name}")
    assert entry is not None
    entry.text = value
    assert name in refused(row_of(vm, Form.FULL))
    assert not needs_history(row_of(vm, Form.LAST), None)


def test_a_record_that_was_cut() -> None:
    vm = element(3, 3, RAN)
    history = vm.find("HISTORY_RECORDS")
    assert history is not None
    SubElement(SubElement(history, "HISTORY"), "SEQ").text = "1"
    assert "no HISTORY 1: STIME" in refused(row_of(vm, Form.FULL))


def test_a_state_from_the_future() -> None:
    assert "state is 12" in refused(row(12, 0, RAN))
    found = machine(row(3, 99, RAN))
    assert (found.status, found.cloud_status) == ("started", "ACTIVE/99")


values = st.one_of(
    st.text(max_size=8), st.integers().map(str), st.just("0"), st.just("3"), st.integers(START, START + 99).map(str)
)
trees = st.recursive(
    st.tuples(
        st.sampled_from(("ID", "STATE", "STIME", "DISK", "HISTORY", "RSTIME", "SEQ", "VCPU", "IP", "NIC")), values
    ),
    lambda inner: st.tuples(
        st.sampled_from(("TEMPLATE", "USER_TEMPLATE", "HISTORY_RECORDS", "HISTORY", "DISK", "MONITORING", "NIC")),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


def grown(tag: str, content: Any) -> Element:
    found = Element(tag)
    if isinstance(content, str):
        found.text = content
    else:
        for child in content:
            found.append(grown(*child))
    return found


@given(st.lists(trees, max_size=6), st.sampled_from(Form), st.booleans())
def test_nothing_crashes(children: Any, form: Form, known: bool) -> None:
    vm = element(3, 3, RAN)
    for child in children:
        given_child = grown(*child)
        old = vm.find(given_child.tag)
        if old is not None:
            vm.remove(old)
        vm.append(given_child)
    try:
        found = row_of(vm, form)
    except ValueError:
        return
    before = machine(row(3, 3, RAN)) if known else None
    needs_history(found, before)
    assert isinstance(machine_of(found, before, reading())[0], (VirtualMachine, Unreadable))
