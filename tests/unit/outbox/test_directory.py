from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from fedcloud_agent.errors import CannotCreateError, RefusedError
from fedcloud_agent.outbox.directory import DirectoryTransport
from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.settings import DirectoryDestination
from fedcloud_agent.outbox.transport import Message


def transport(path: Path, layout: str = "dirq") -> DirectoryTransport:
    return DirectoryTransport(DirectoryDestination(path=path, layout=layout))


def files(path: Path) -> List[str]:
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file())


def messages(count: int) -> List[Message]:
    return [Message(new_id(), f"VMUUID: vm-{n}\n".encode()) for n in range(count)]


def test_dirq_names_are_the_identities(tmp_path: Path) -> None:
    sent = messages(3)
    outcomes = list(transport(tmp_path).deliver(sent))
    assert [(o.id, o.acknowledged, o.peer) for o in outcomes] == [(m.id, True, str(tmp_path)) for m in sent]
    assert files(tmp_path) == [m.id for m in sent]
    assert (tmp_path / sent[1].id).read_bytes() == sent[1].body
    assert (tmp_path / sent[1].id).stat().st_mode & 0o007 == 0


def test_a_plain_directory_holds_whole_files_only(tmp_path: Path) -> None:
    sent = messages(2)
    list(transport(tmp_path, "directory").deliver(sent))
    visible = sorted(p.name for p in tmp_path.iterdir() if p.is_file())
    assert visible == [m.id.replace("/", "-") for m in sent]
    by_age = sorted(visible, key=lambda name: (tmp_path / name).stat().st_mtime_ns)
    assert by_age == visible


@pytest.mark.parametrize("layout", ["dirq", "directory"])
def test_delivering_again_changes_nothing_and_adds_nothing(tmp_path: Path, layout: str) -> None:
    sent = messages(2)
    list(transport(tmp_path, layout).deliver(sent))
    before = {name: (tmp_path / name).stat() for name in files(tmp_path)}
    assert all(o.acknowledged for o in transport(tmp_path, layout).deliver(sent))
    assert {name: (tmp_path / name).stat() for name in files(tmp_path)} == before


@pytest.mark.parametrize("layout", ["dirq", "directory"])
def test_what_a_dead_run_left_half_written_does_not_stand_in_the_way(tmp_path: Path, layout: str) -> None:
    (message,) = messages(1)
    list(transport(tmp_path, layout).deliver([message]))
    (name,) = files(tmp_path)
    (tmp_path / name).unlink()
    half = tmp_path / (f"{name}.tmp" if layout == "dirq" else f".partial/{name}")
    half.write_bytes(b"VMU")
    assert all(o.acknowledged for o in transport(tmp_path, layout).deliver([message]))
    assert files(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == message.body


def test_an_identity_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    (outcome,) = transport(spool).deliver([Message("../../outside", b"VMUUID: x\n")])
    assert not outcome.acknowledged
    assert files(tmp_path) == []


def test_what_ssmsend_chokes_on_is_refused_here(tmp_path: Path) -> None:
    bad, good = Message(new_id(), "caf\u00e9\n".encode()), Message(new_id(), b"VMUUID: x\n")
    outcomes = list(transport(tmp_path).deliver([bad, good]))
    assert [o.acknowledged for o in outcomes] == [False, True]
    assert files(tmp_path) == [good.id]


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "outgoing"
    for act in (lambda: transport(missing).ping(), lambda: list(transport(missing).deliver(messages(1)))):
        with pytest.raises(CannotCreateError, match="outgoing is not there"):
            act()
    assert not missing.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RefusedError, match="no file can be written"):
        transport(tmp_path).ping()


def test_ping_leaves_nothing(tmp_path: Path) -> None:
    assert transport(tmp_path).ping() == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_data_are_on_the_disk_before_the_name_and_the_name_before_the_acknowledgement(tmp_path: Path) -> None:
    """As the system calls show it."""
    spool, trace = tmp_path / "spool", tmp_path / "trace"
    spool.mkdir()
    code = f"""
from pathlib import Path
from fedcloud_agent.outbox.directory import DirectoryTransport
from fedcloud_agent.outbox.settings import DirectoryDestination
from fedcloud_agent.outbox.transport import Message
transport = DirectoryTransport(DirectoryDestination(path=Path({str(spool)!r})))
for outcome in transport.deliver([Message("5ba24c88/5ba24c8f0f129d", b"VMUUID: x")]):
    print(outcome)
"""
    calls = "trace=write,fsync,link,linkat,mkdir,mkdirat,unlink,unlinkat"
    subprocess.run(["strace", "-y", "-o", str(trace), "-e", calls, sys.executable, "-c", code], check=True, timeout=60)
    seen = re.findall(
        r"^(write|fsync|link|mkdir|unlink)(?:at)?\(.*?(spool[^\">]*|pipe|/dev/\S+|Outcome)", trace.read_text(), re.M
    )
    assert [(call, path) for call, path in seen if path.startswith("spool")] == [
        ("mkdir", "spool/5ba24c88"),
        ("fsync", "spool"),
        ("unlink", "spool/5ba24c88/5ba24c8f0f129d.tmp"),
        ("write", "spool/5ba24c88/5ba24c8f0f129d.tmp"),
        ("fsync", "spool/5ba24c88/5ba24c8f0f129d.tmp"),
        ("link", "spool/5ba24c88/5ba24c8f0f129d.tmp"),
        ("unlink", "spool/5ba24c88/5ba24c8f0f129d.tmp"),
        ("fsync", "spool/5ba24c88"),
    ]
