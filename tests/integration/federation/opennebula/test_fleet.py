"""A hundred thousand machines that nobody keeps: windows are fast, memory stays flat, changes are kept."""

from __future__ import annotations

import time

from tests.federation.opennebula.monitoring import EVERY
from tests.integration.federation.opennebula.conftest import HOUR, Client, Start

START = 1700000000


def resident(client: Client) -> int:
    """Return the kilobytes that the simulator holds."""
    process = client.oned.process
    assert process is not None
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_a_fleet(start: Start) -> None:
    client = start("6.10")
    oned = client.oned
    before = resident(client)
    end = oned.fleet(100000, START, owners=[["alice", "vo.example.org"], ["oneadmin", "oneadmin"]])
    oned.set_clock(end)
    started = time.monotonic()
    seen = 0
    for first in range(0, 20000, 500):
        seen += len(client.call("vmpool.infoextended", -2, first, first + 499, -2).body.split(b"&lt;VM&gt;")) - 1
    assert seen == 20000
    # A real one takes 0.02 s for such a window; this machine may be busy.
    assert time.monotonic() - started < 40
    assert resident(client) - before < 60000
    assert client.ids("vmpool.info", -2, 99970, -1, -1) == [99990, 99980, 99970]
    assert client.ids("vmpool.info", -3, 99970, 99973, -2, session="alice:secret") == [99972, 99970]
    assert len(client.records(50)) == 20
    listed = client.call("vmpool.infoextended", -2, 50, 51, -2).xml
    for row, key in zip(listed, (51, 50)):
        whole = client.call("vm.info", key).xml
        last = whole.findall("HISTORY_RECORDS/HISTORY")[-1]
        shown = row.findall("HISTORY_RECORDS/HISTORY")
        assert [child.text for child in shown[0]] == [child.text for child in last]
        assert row.findtext("GNAME") == whole.findtext("GNAME") == ("oneadmin" if key == 51 else "vo.example.org")


def test_the_truth_of_a_fleet_is_in_its_records(start: Start) -> None:
    for profile in ("5.4", "6.10"):
        client = start(profile)
        oned = client.oned
        oned.set_clock(oned.fleet(40, START, first_id=1000, live_every=4) + EVERY)
        for key in (1000, 1001, 1003):
            recorded = 0
            for row in client.call("vm.info", key).xml.iterfind("HISTORY_RECORDS/HISTORY"):
                begin, gone = int(row.findtext("RSTIME") or 0), int(row.findtext("RETIME") or 0)
                recorded += (gone or oned.now()) - begin
            life = oned.truth([key])[key]
            assert life.seconds(0, oned.now()) == recorded
            assert (life.ended is None) == (key == 1000)


def test_what_happens_to_one_of_a_fleet_is_kept(start: Start) -> None:
    client = start("6.10")
    oned = client.oned
    oned.set_clock(oned.fleet(1000, START, live_every=10) + HOUR)
    oned.acts([{"vm": key, "action": "attach_disk"} for key in range(0, 100, 10)])
    oned.act(100, "terminate")
    oned.purge_done([105])
    assert oned.tell("statistics") == {"kept": 11, "done": 1, "purged": 1, "fleet": 1000}
    assert len(client.records(10)) == 21
    listed = client.ids("vmpool.info", -2, 90, 110, -2)
    assert listed == [key for key in range(110, 89, -1) if key != 105]
    assert client.ids("vmpool.info", -2, 90, 110, -1) == [110, 90]
    assert oned.create_vm("alice") == 1000
