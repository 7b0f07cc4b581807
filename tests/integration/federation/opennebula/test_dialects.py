"""What differs from version to version: methods, forms, order, windows, codes, names."""

from __future__ import annotations

import hashlib
import xmlrpc.client
from typing import List

import pytest

from tests.federation.opennebula import PROFILES
from tests.integration.federation.opennebula.conftest import NOVEMBER, Client, Start

ALL = sorted(PROFILES, key=lambda name: PROFILES[name].version)
SINCE = {
    "system.version": "3.8",
    "zonepool.info": "5.4",
    "vmpool.infoextended": "5.8.1",
    "vmpool.infoset": "5.12",
    "user.enable": "6.10",
    "datastorepool.info": "3.8",
}


@pytest.mark.parametrize("profile", ALL)
def test_methods_codes_digests_forms_order(start: Start, profile: str) -> None:
    client = start(profile)
    for name, since in SINCE.items():
        try:
            client.call(name).items  # noqa: B018
            there = True
        except xmlrpc.client.Fault as fault:
            there = fault.faultCode != -506
        assert there == (ALL.index(profile) >= ALL.index(since) or name == "zonepool.info" and profile == "4.14"), name
    refused = client.call("vm.info", 99).items
    assert refused[0] is False and refused[2] == 0x400
    assert len(refused) == {"3": 3, "4": 3, "5.4": 4, "5.8": 4}.get(profile[:1] if profile < "5" else profile[:3], 5)
    digest = hashlib.sha256 if ALL.index(profile) >= ALL.index("5.12") else hashlib.sha1
    assert client.call("user.info", -1).xml.findtext("PASSWORD") == digest(b"opennebula").hexdigest()
    assert client.call("vm.info", 99, session="oneadmin:wrong").items[2] == 0x100
    _forms_and_order(client, profile)


def _forms_and_order(client: Client, profile: str) -> None:
    client.oned.create_vms([{"user": "alice", "count": 3}])
    new = ALL.index(profile) >= ALL.index("5.8.0")
    assert client.ids("vmpool.info", -2, -1, -1, -2) == ([2, 1, 0] if new else [0, 1, 2])
    listed = client.call("vmpool.info", -2, -1, -1, -2).xml[0]
    assert (listed.find("HISTORY_RECORDS/HISTORY/RSTIME") is None) == new
    assert (listed.find("PERMISSIONS") is None) == new
    full = client.call("vm.info", 0).xml
    assert full.findtext("HISTORY_RECORDS/HISTORY/RSTIME") == str(NOVEMBER)
    assert (full.find("USER_TEMPLATE") is None) == (profile in ("3.2", "3.8"))
    assert (full.find("NET_RX") is None) != (profile in ("3.2", "3.8"))
    assert (full.find("MONITORING") is None) == (profile in ("3.2", "3.8"))
    record = full.find("HISTORY_RECORDS/HISTORY")
    assert record is not None
    assert (record.find("OID") is None) == (profile == "3.2")
    assert (record.find("REASON") is None) == (profile not in ("3.2", "3.8", "4.14"))
    assert (record.find("ACTION") is None) == (profile in ("3.2", "3.8"))
    assert (record.find("CID") is None) == (profile in ("3.2", "3.8"))
    assert (record.find("VMMMAD") is None) != (profile in ("3.2", "3.8", "4.14"))


def test_windows(start: Start) -> None:
    client = start("6.10")
    client.oned.create_vms([{"count": 8}])
    client.oned.purge_done([3])

    def window(first: int, last: int, state: int = -2, name: str = "vmpool.info") -> List[int]:
        return client.ids(name, -2, first, last, state)

    assert window(-1, -1) == [7, 6, 5, 4, 2, 1, 0]
    assert window(-1, 5) == [7, 6, 5, 4, 2, 1, 0]
    assert window(-5, 2) == [2, 1, 0]
    assert window(5, 2) == []
    assert window(2, 5) == [5, 4, 2]
    assert window(6, -1) == [7, 6]
    assert window(0, -3) == [7, 6, 5]
    assert window(2, -3) == [5, 4, 2]
    assert window(-1, -2) == [7, 6]
    client.oned.act(6, "terminate")
    assert window(5, 7, -1) == [7, 5]
    assert window(0, -2, -1) == [7, 5]
    assert window(-1, -1, 6) == [6]
    assert client.call("vmpool.info", -2, 0, 5, 12).items[2] == 0x1000
    old = start("3.8")
    old.oned.create_vms([{"count": 3}])
    assert old.ids("vmpool.info", -2, 0, -3, -2) == []
    assert old.call("vmpool.info", -2, 0, 5, 8).items[2] == 0x1000


def test_a_user_may_turn_the_order_round(start: Start) -> None:
    client = start("6.10")
    client.oned.create_vms([{"count": 3}])
    client.oned.change_user("oneadmin", template={"API_LIST_ORDER": "ASC"})
    assert client.ids("vmpool.info", -2, -1, -1, -2) == [2, 1, 0]
    client.oned.change_user("oneadmin", template={"OPENNEBULA": {"API_LIST_ORDER": "ASC"}})
    assert client.ids("vmpool.info", -2, -1, -1, -2) == [0, 1, 2]
    assert client.ids("hostpool.info") == [0, 1]


def test_surplus_arguments_are_ignored_and_missing_ones_are_not(start: Start) -> None:
    client = start("5.4")
    vm = client.oned.create_vm()
    assert client.call("vm.info", vm, True, 5, "x").items[0] is True
    assert client.call("vmpool.info", -2, -1, -1, -2, "surplus").items[0] is True
    with pytest.raises(xmlrpc.client.Fault, match="Not enough parameters"):
        client.call("vmpool.info", -2, -1, -1).items  # noqa: B018


def test_one_character_blinds_every_answer(start: Start) -> None:
    client = start("6.10")
    client.oned.create_vms([{"count": 4}])
    assert client.call("vm.update", 2, "<TEMPLATE><NOTE>smile &#128512;</NOTE></TEMPLATE>", 1).items[0] is True
    blind = [("vm.info", 2), ("vmpool.infoextended", -2, 0, 3, -2), ("vmpool.infoset", "2", True)]
    blind.append(("vmpool.accounting", -2, -1, -1))
    for call in blind:
        with pytest.raises(xmlrpc.client.Fault) as fault:
            client.call(*call).items  # noqa: B018
        assert fault.value.faultCode == -500
    assert client.ids("vmpool.infoextended", -2, 0, 1, -2) == [1, 0]
    assert client.ids("vmpool.infoextended", -2, 3, 3, -2) == [3]
    assert client.ids("vmpool.info", -2, 0, 3, -2) == [3, 2, 1, 0]
    client.oned.act(2, "rename", name="smile \U0001f600")
    with pytest.raises(xmlrpc.client.Fault):
        client.ids("vmpool.info", -2, 0, 3, -2)


def test_monitoring(start: Start) -> None:
    for profile in ("5.4", "5.12", "6.10"):
        client = start(profile)
        vm = client.oned.create_vm("alice", rates=[1000, 10], boot=10)
        assert client.call("vm.info", vm).xml.findtext("MONITORING/NETRX", "0") == "0"
        client.oned.advance(3600)
        assert client.call("vm.info", vm).xml.findtext("MONITORING/NETRX") == "3600000"
        listed = client.call("vmpool.infoextended" if profile != "5.4" else "vmpool.info", -2, -1, -1, -1).xml[0]
        assert listed.findtext("MONITORING/NETTX") == ("36000" if profile == "5.4" else None)
        client.oned.act(vm, "live_migrate", host=1)
        client.oned.advance(60)
        assert client.call("vm.info", vm).xml.findtext("MONITORING/NETRX") == "60000"
        client.oned.act(vm, "suspend")
        client.oned.advance(60)
        assert client.call("vm.info", vm).xml.findtext("MONITORING/NETRX") == "0"
        client.oned.act(vm, "resume")
        client.oned.advance(30)
        assert client.call("vm.info", vm).xml.findtext("MONITORING/NETRX") == "30000"
        assert client.oned.truth()[vm].received == 3690000
    one = client.call("vmpool.monitoring", -2, 0).xml
    assert [(row.findtext("ID"), row.findtext("NETRX")) for row in one] == [("0", "30000")]
    last = client.call("vmpool.monitoring", -2, 100).xml
    assert [row.findtext("NETRX") for row in last] == ["0", "0", "0", "30000"]
    assert len(client.call("vmpool.monitoring", -2).xml) == 3750 // 30 + 1
    client.oned.advance(50000)
    client.oned.act(vm, "terminate")
    assert len(client.call("vmpool.monitoring", -2, 0).xml) == 1
    client.oned.advance(50000)
    assert len(client.call("vmpool.monitoring", -2, 0).xml) == 0


def test_accounting_embeds_the_machine(start: Start) -> None:
    client: Client = start("6.10")
    vm = client.oned.create_vm("alice")
    client.oned.act(vm, "attach_disk", at=NOVEMBER + 100)
    client.oned.act(vm, "terminate", at=NOVEMBER + 200)
    client.oned.advance(1000)
    rows = client.call("vmpool.accounting", -2, -1, -1).xml
    assert [(row.findtext("OID"), row.findtext("SEQ"), row.findtext("VM/STATE")) for row in rows] == [
        ("0", "0", "3"),
        ("0", "1", "3"),
    ]
    assert rows[1].findtext("VM/ETIME") == "0"
    assert len(client.call("vmpool.accounting", -2, NOVEMBER + 150, -1).xml) == 1
    assert len(client.call("vmpool.accounting", -2, NOVEMBER + 250, -1).xml) == 0
