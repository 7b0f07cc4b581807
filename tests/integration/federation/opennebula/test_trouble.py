"""What can go wrong: spoilt answers, machines that vanish, ids that begin anew."""

from __future__ import annotations

import http.client
import time
import xml.etree.ElementTree as ElementTree
import xmlrpc.client

import pytest

from tests.integration.federation.opennebula.conftest import HOUR, NOVEMBER, Client, Start


@pytest.fixture()
def client(start: Start) -> Client:
    """A 6.10 with ten machines."""
    client = start("6.10")
    client.oned.create_vms([{"user": "alice", "count": 10}])
    return client


ALL = ("vmpool.infoextended", -2, -1, -1, -2)


def test_answers_that_are_none(client: Client) -> None:
    oned = client.oned
    oned.fault("html", "infoextended", count=2, after=1)
    assert client.call(*ALL).status == 200
    assert [client.call(*ALL).status for _ in range(3)] == [502, 502, 200]
    oned.fault("html", "infoextended", status=503)
    assert client.call("vm.info", 1).status == 200
    answer = client.call(*ALL)
    assert answer.status == 503 and answer.body.startswith(b"<html>")
    oned.fault("empty_body")
    assert client.call(*ALL).body == b""
    oned.fault("no_array")
    assert xmlrpc.client.loads(client.call(*ALL).body)[0] == ("hello",)
    oned.fault("no_document")
    assert client.call(*ALL).items == [True, "hello", 0]
    oned.fault("too_large")
    assert client.call(*ALL).status == 500
    oned.fault("fault", code=-500, text="gone")
    with pytest.raises(xmlrpc.client.Fault, match="gone"):
        client.call(*ALL).items  # noqa: B018
    assert len(client.call(*ALL).xml) == 10


def test_refusals(client: Client) -> None:
    oned = client.oned
    oned.fault("no_leader")
    assert client.call(*ALL).items[1:3] == [
        "[one.vmpool.infoextended] Cannot process request, no leader found",
        0x2000,
    ]
    oned.fault("unauthenticated", after=1)
    assert [client.call(*ALL).items[0] for _ in range(3)] == [True, False, True]


def test_the_connection_breaks(client: Client) -> None:
    oned = client.oned
    oned.fault("truncated", keep=0.6)
    with pytest.raises(http.client.IncompleteRead):
        client.call(*ALL)
    oned.fault("truncated", keep=0.6, honest=True)
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(client.call(*ALL).body)
    oned.fault("drop")
    with pytest.raises(ConnectionError):
        client.call(*ALL)
    oned.fault("silence", seconds=0.5)
    before = time.monotonic()
    with pytest.raises(http.client.RemoteDisconnected):
        client.call(*ALL)
    assert time.monotonic() - before > 0.4
    oned.fault("drip", chunk=20000, pause=0.1)
    before = time.monotonic()
    assert len(client.call(*ALL).xml) == 10
    assert time.monotonic() - before > 0.1
    oned.fault("slow", seconds=0.3)
    before = time.monotonic()
    client.call(*ALL)
    assert time.monotonic() - before > 0.3


def test_values_that_nobody_expects(client: Client) -> None:
    oned = client.oned
    oned.fault("bytes", find="&lt;NAME&gt;")
    assert b"&lt;NAME&gt;caf\xe9 \x08vm-" in client.call(*ALL).body
    oned.fault("state")
    shown = client.call(*ALL).xml
    assert {(row.findtext("STATE"), row.findtext("LCM_STATE")) for row in shown} == {("12", "99")}
    oned.fault("shrink")
    assert [row.findtext("ID") for row in client.call(*ALL).xml] == ["9", "8", "7", "6", "5"]
    oned.fault("laughs")
    assert b"&lt;!ENTITY a29 " in client.call(*ALL).body
    oned.fault("laughs", inside=False)
    assert b"<!ENTITY a29 " in client.call(*ALL).body
    oned.fault("date", seconds=-3600)
    assert ("Date", "Sat, 31 Oct 2026 23:00:00 UTC") in client.call(*ALL).headers


def test_purges_reinstallation_and_holes(client: Client) -> None:
    oned = client.oned
    for number in range(3):
        oned.act(2, "attach_nic", at=NOVEMBER + 100 + number)
    oned.act(3, "terminate", at=NOVEMBER + 200)
    oned.advance(HOUR)
    first = client.records(2)
    assert len(first) == 4
    oned.purge_history([2])
    assert client.records(2) == first[2:]
    shown = client.call("vm.info", 2).xml
    assert [row.findtext("SEQ") for row in shown.iterfind("HISTORY_RECORDS/HISTORY")] == ["0", "1"]
    assert oned.purge_done(before=NOVEMBER + 100) == 0
    assert oned.purge_done() == 1
    assert client.call("vm.info", 3).items[2] == 0x400
    life = oned.truth()[3]
    assert life.purged and life.seconds(0, 2 * NOVEMBER) == 200
    assert oned.create_vm("alice", id=5000) == 5000
    assert oned.create_vm("alice") == 5001
    assert client.ids("vmpool.info", -2, 10, -1, -2) == [5001, 5000]
    oned.reinstall()
    assert client.ids("vmpool.info", -2, -1, -1, -2) == []
    assert oned.create_vm("alice") == 0


def test_something_happens_between_two_pages(client: Client) -> None:
    oned = client.oned
    oned.meanwhile("vmpool", "act", {"acts": [{"vm": 9, "action": "terminate"}]}, after=1)
    assert client.ids("vmpool.info", -2, 0, -3, -1) == [9, 8, 7]
    # Whoever pages by offset misses a machine now.
    assert client.ids("vmpool.info", -2, 3, -3, -1) == [5, 4, 3]
    oned.meanwhile("vmpool", "purge", {"vms": [9]})
    assert 9 not in client.ids("vmpool.info", -2, -1, -1, -2)


def test_odd_records_can_be_dictated(client: Client) -> None:
    oned = client.oned
    oned.advance(100)
    oned.act(1, "alter", seq=0, fields={"retime": NOVEMBER - 50, "etime": 0})
    assert client.call("vm.info", 1).xml.findtext("HISTORY_RECORDS/HISTORY/RETIME") == str(NOVEMBER - 50)
    assert oned.truth()[1].blurred


def test_what_cannot_happen_is_refused(client: Client) -> None:
    oned = client.oned
    with pytest.raises(ValueError, match="cannot resume a machine that is running"):
        oned.act(0, "resume")
    with pytest.raises(ValueError, match="lies before the last change"):
        oned.act(0, "suspend", at=NOVEMBER - 5)
    with pytest.raises(ValueError, match="no act 'fly'"):
        oned.act(0, "fly")
    with pytest.raises(ValueError, match="no machine 77"):
        oned.act(77, "suspend")
    oned.act(0, "suspend", at=NOVEMBER + 50)
    oned.act(0, "suspend", at=NOVEMBER + 60)
    with pytest.raises(ValueError, match="could not happen: suspend of 0"):
        oned.advance(100)


def test_calls_are_counted(client: Client) -> None:
    oned = client.oned
    oned.reset_calls()
    client.call("vm.info", 1)
    answer = client.call(*ALL)
    assert oned.calls() == {"one.vm.info": 1, "one.vmpool.infoextended": 1}
    assert oned.sent()["one.vmpool.infoextended"] == len(answer.body)
    seen = oned.requests()[1]
    assert (seen["arguments"], seen["vms"], seen["bytes"]) == ([-2, -1, -1, -2], 10, len(answer.body))
