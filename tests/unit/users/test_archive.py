"""Archives as Perun's senders make them, and all the others."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Callable, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.users import archive
from fedcloud_agent.users.archive import unpack
from fedcloud_agent.users.refusal import BAD_ARCHIVE, PushError

FILES = {"HOSTNAME": b"cloud.example.org", "SERVICE": b"fedcloud_export\n", "fedcloud_export": b"x" * 1500}


def packed(*members: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def info(name: str, kind: Optional[bytes] = None, **attributes: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind or tarfile.REGTYPE
    for key, value in attributes.items():
        setattr(member, key, value)
    return member


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def gnu_tar(*arguments: str) -> bytes:
    return subprocess.run(["tar", "-cf", "-", *arguments], capture_output=True, check=True, timeout=30).stdout


def test_as_gnu_tar_packs_it(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "CLOUD_PLATFORM").write_text("opennebula")
    data = gnu_tar("-C", str(directory), ".", "-C", str(other), ".")  # with two entries of ./
    assert unpack(data) == {**FILES, "CLOUD_PLATFORM": b"opennebula"}
    assert unpack(gzip.compress(data)) == unpack(data)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_as_python_packs_it(directory: Path, form: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name in FILES:
            tar.add(str(directory / name), arcname=f"./{name}")  # with a time that has decimals
    assert unpack(buffer.getvalue()) == FILES


def refused(data: bytes) -> str:
    with pytest.raises(PushError) as caught:
        unpack(data)
    assert caught.value.exit_code == BAD_ARCHIVE
    return caught.value.message


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([info("a"), info("./a")], "twice"),
        ([info("../a")], "name"),
        ([info("/etc/passwd")], "name"),
        ([info("./..")], "name"),
        ([info("a b")], "name"),
        ([info("a;rm")], "name"),
        ([info("./a/b")], "name"),
        ([info("a", tarfile.SYMTYPE, linkname="/etc/passwd")], "regular"),
        ([info("a", tarfile.LNKTYPE, linkname="b")], "regular"),
        ([info("a", tarfile.CHRTYPE)], "regular"),
        ([info("a", tarfile.FIFOTYPE)], "regular"),
        ([info("sub", tarfile.DIRTYPE)], "directory"),
        ([info("a" * 120)], "extended header"),
        ([info("a", pax_headers={"path": "/etc/passwd"})], "extended header"),
        ([info("a", pax_headers={"GNU.sparse.major": "1"})], "extended header"),
        ([info(f"m{number}") for number in range(65)], "more than 64"),
    ],
)
def test_edge_3_what_is_no_plain_file(members: List[tarfile.TarInfo], words: str) -> None:
    assert words in refused(packed(*members))


def test_edge_3_long_names_of_gnu() -> None:
    assert "regular" in refused(packed(info("a" * 120), form=tarfile.GNU_FORMAT))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: -512 * 19],  # at the border of the last member: one block of zeros, or none
        lambda data: data[: 512 * 4],
        lambda data: data[:700],
        lambda data: b"hello, world" * 100,
        lambda data: data[:10] + b"X" + data[11:],
        lambda data: data[:124] + b"\x80" + data[125:],
        lambda data: gzip.compress(data)[:-5],
        lambda data: gzip.compress(data) + b"more",
        lambda data: gzip.compress(data)[:20] + b"\0\0\0" + gzip.compress(data)[23:],
    ],
)
def test_edge_3_cut_or_damaged(spoil: Callable[[bytes], bytes]) -> None:
    whole = packed(info("HOSTNAME"), info("SERVICE"), form=tarfile.USTAR_FORMAT, content=b"x" * 100)
    assert set(unpack(whole)) == {"HOSTNAME", "SERVICE"}
    assert refused(spoil(whole))


def test_every_cut_of_an_archive_is_refused() -> None:
    whole = packed(info("HOSTNAME"), info("SERVICE"), form=tarfile.USTAR_FORMAT, content=b"x" * 100)
    for length in range(0, 512 * 5, 64):
        assert refused(whole[:length])
    assert unpack(whole[: 512 * 6])


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 20_000)
    data = packed(info("a"), content=b"\0" * 30_000)
    assert "larger" in refused(data)
    assert "larger" in refused(gzip.compress(data))


@given(st.binary(max_size=2000) | st.binary(min_size=512, max_size=512).map(lambda b: b + b"\0" * 1024))
def test_nothing_but_our_error_comes_out(data: bytes) -> None:
    try:
        unpack(data)
    except PushError as error:
        assert error.exit_code == BAD_ARCHIVE
