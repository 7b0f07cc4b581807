"""The tree on disk: whole or not at all, in the order of the keys, and damaged only once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fedcloud_agent.errors import StorageError
from fedcloud_agent.infosys import glue20, ldif
from fedcloud_agent.infosys.entry import Entry, digest
from fedcloud_agent.infosys.kept import Changes, Kept
from fedcloud_agent.infosys.places import place_of
from tests.unit.infosys.world import NOW, site

ENTRIES = tuple(glue20.entries(site(), NOW))


def test_nothing_is_there_before_the_first_step(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "infosys" / "tree.sqlite")
    assert kept.wanted() is None and list(kept.records()) == [] and kept.held() == {} and kept.said() == {}
    assert not kept.path.exists()


def test_what_is_written_is_read_back_in_the_order_of_the_keys(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "tree.sqlite")
    kept.step(Changes(put=ENTRIES), NOW, {"wanted": "a", "untold": "yes"})
    text = b"".join(kept.records()).decode("utf-8")
    read = list(ldif.parse(text.splitlines(keepends=True)))
    assert sorted(one.dn for one in read) == sorted(one.dn for one in ENTRIES)
    assert [place_of(one.dn) for one in read] == sorted(place_of(one.dn) for one in ENTRIES)
    assert {one.dn: one for one in read} == {one.dn: one for one in ENTRIES}
    assert {dn: one.digest for dn, one in kept.held().items()} == {one.dn: digest(one) for one in ENTRIES}
    assert kept.wanted() == "a"
    kept.note({"untold": None, "server": "x"})
    assert kept.said() == {"wanted": "a", "server": "x"}


def test_what_is_gone_stays_until_it_is_dropped_and_may_come_back(tmp_path: Path) -> None:
    kept, last = Kept(tmp_path / "tree.sqlite"), ENTRIES[-1]
    kept.step(Changes(put=ENTRIES), NOW, {})
    kept.step(Changes(gone=(last,)), NOW + 5, {})
    assert kept.held()[last.dn].gone == NOW + 5 and last.dn.encode() in b"".join(kept.records())
    kept.step(Changes(put=(last,)), NOW + 6, {})
    assert kept.held()[last.dn].gone is None
    kept.step(Changes(dropped=(last.dn,)), NOW + 7, {})
    assert last.dn not in kept.held() and list(kept.entries([last.dn])) == []


def test_a_step_that_fails_leaves_what_was(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "tree.sqlite")
    kept.step(Changes(put=ENTRIES[:5]), NOW, {"wanted": "a"})
    broken = Entry(ENTRIES[6].dn, {"objectClass": (7,)})  # type: ignore[dict-item]
    with pytest.raises(Exception):  # noqa: B017 -- whatever it is that breaks in the midst of it
        kept.step(Changes(put=(ENTRIES[5], broken)), NOW, {"wanted": "b"})
    assert len(kept.held()) == 5 and kept.wanted() == "a"


def test_a_damaged_file_is_put_aside_and_a_locked_one_is_not(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "tree.sqlite")
    kept.step(Changes(put=ENTRIES), NOW, {"wanted": "a"})
    kept.put_aside_if_damaged()
    assert kept.wanted() == "a"
    kept.path.write_bytes(b"no database at all" * 500)
    with pytest.raises(StorageError, match="cannot be used"):
        kept.wanted()
    kept.put_aside_if_damaged()
    assert kept.wanted() is None and (tmp_path / "tree.damaged").exists()


_WRITER = """
import sys
from pathlib import Path
from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.kept import Changes, Kept
kept = Kept(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    made = tuple(Entry(f"GLUE2ResourceID=r{one},o=glue", {"GLUE2EntityName": (str(number),)}) for one in range(50))
    kept.step(Changes(put=made), number, {"wanted": str(number)})
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_one_step_whole(tmp_path: Path) -> None:
    path = tmp_path / "tree.sqlite"
    for told in (1, 3, 8):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(told):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        rest = writer.stdout.read().split()
        last = int(rest[-1]) if rest else told
        values = {one.first("GLUE2EntityName") for one in Kept(path).entries(Kept(path).held())}
        wanted = Kept(path).wanted()
        assert values == {wanted} and wanted is not None and int(wanted) in (last, last + 1)
        path.unlink()
