"""'clouds record' as a person types it: made, shown, checked; and what is not anonymised is found."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from pathlib import Path
from typing import Callable, Iterator

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import PROJECT, SITE, USER, VO, Box

NOW = 1768813200


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Box(
        tmp_path_factory.mktemp("box"), broker=False, cloud_settings="vos: {vo.own.org: {project: staff-room}}"
    ) as box:
        box.set_clock(NOW)
        box.cloud.create_project("staff-room")
        for number in range(5):
            box.create_server(name=f"jane-{number}", created=NOW - 40 * DAY, floating_ips=["131.154.96.7"])
        yield box


@pytest.fixture(scope="module")
def recording(box: Box) -> Path:
    target = box.directory / "recording.tar.gz"
    done = box.agent("clouds", "record", "main", "--to", str(target))
    assert "5 machines recorded" in done.stdout
    assert "--check" in done.stdout and "Before you send it" in done.stdout
    return target


def test_the_file_is_its_owners_and_never_overwritten(box: Box, recording: Path) -> None:
    assert stat.S_IMODE(recording.stat().st_mode) == 0o600
    before = recording.read_bytes()
    again = box.agent("clouds", "record", "main", "--to", str(recording), check=False)
    assert again.returncode == 73 and "does not exist yet" in again.stderr
    assert recording.read_bytes() == before
    assert not list(box.state.glob("agent.db*"))


def test_a_full_disk_leaves_nothing_behind(box: Box, tmp_path: Path) -> None:
    target = tmp_path / "large.tar.gz"
    done = box.agent("clouds", "record", "main", "--to", str(target), before=("prlimit", "--fsize=1500"), check=False)
    assert done.returncode == 74 and "large.tar.gz cannot be written" in done.stderr
    assert "Traceback" not in done.stderr and not target.exists()


def test_nothing_of_the_site_is_in_it(recording: Path) -> None:
    with tarfile.open(recording) as tar:
        text = "".join(tar.extractfile(member).read().decode().lower() for member in tar)  # type: ignore[union-attr]
    for word in (
        USER,
        "jane",
        PROJECT,
        SITE,
        VO,
        "staff-room",
        "own",
        "131.154.96.7",
        "127.0.0.1",
        "accounting-secret",
    ):
        assert word.lower() not in text, word


def test_it_is_shown(box: Box, recording: Path) -> None:
    shown = box.agent("clouds", "record", "--show", str(recording)).stdout
    manifest = json.loads(shown[: shown.index("\n}\n") + 2])
    assert (manifest["machines"], manifest["type"], manifest["whole"]) == (5, "openstack", True)
    assert manifest["versions"] == ["compute 2.1", "compute 2.69"]
    assert "/compute/v2.1/servers/detail?limit=200&all_tenants=1" in shown


def test_it_passes_its_check_with_and_without_a_configuration(box: Box, recording: Path, tmp_path: Path) -> None:
    for words in (("main",), ()):
        assert "nothing found" in box.agent("clouds", "record", *words, "--check", str(recording)).stdout


def changed(recording: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    with tarfile.open(recording) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            data = change(member.name, old.extractfile(member).read())  # type: ignore[union-attr]
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return target


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("jane.doe@example.org", "has a vowel"),
        ("131.154.96.7", "is an IP address"),
        ("2a01:4f8::1", "is an IP address"),
        ("/DC=org/DC=example/CN=Jane Doe", "has a vowel"),
        ("accounting-secret", "configuration of this site"),
        ("\u00e9\u00e8", "no pseudonym has"),
        ("https://cloud.kit.edu:5000/", "has a vowel"),
    ],
)
def test_what_is_left_is_found(box: Box, recording: Path, tmp_path: Path, secret: str, told: str) -> None:
    def leak(name: str, data: bytes) -> bytes:
        if b'"servers": [{"id"' not in data:
            return data
        return data.replace(b'"key_name": null', b'"key_name": ' + json.dumps(secret).encode(), 1)

    bad = changed(recording, tmp_path / "bad.tar.gz", leak)
    done = box.agent("clouds", "record", "main", "--check", str(bad), check=False)
    assert done.returncode == 65
    assert told in done.stdout and ".body: " in done.stdout


def test_a_recording_that_is_cut_off_is_told_apart(box: Box, recording: Path, tmp_path: Path) -> None:
    for size in (0, 100, recording.stat().st_size // 2):
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(recording.read_bytes()[:size])
        done = box.agent("clouds", "record", "--check", str(cut), check=False)
        assert done.returncode == 65 and "broken off" in done.stderr


def test_a_limit_ends_it_and_times_may_be_moved(box: Box, tmp_path: Path) -> None:
    target = tmp_path / "short.tar.gz"
    box.configure(cloud_settings="page_size: 2\nvos: {vo.own.org: {project: staff-room}}")
    words = ("clouds", "record", "main", "--to", str(target), "--limit", "3", "--shift-time", "--full")
    assert "it ends at the limit" in box.agent(*words).stdout
    with tarfile.open(target) as tar:
        files = {member.name: tar.extractfile(member).read().decode() for member in tar}  # type: ignore[union-attr]
    assert json.loads(files["manifest.json"])["machines"] == 4
    assert "2025-12-10" not in "".join(files.values()) and "2026-01-19" not in "".join(files.values())
    box.agent("clouds", "record", "main", "--check", str(target))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give one of --to"),
        (("main", "--to", "a", "--show", "b"), "give one of"),
        (("--to", "a"), "which cloud"),
        (("--show", "a", "--limit", "3"), "need --to"),
        (("main", "--to", "a", "--since", "week"), "expected a duration"),
        (("main", "--to", "a", "--since", "1d", "--full"), "--full or --since"),
    ],
)
def test_what_cannot_be_meant_is_refused(box: Box, words: tuple[str, ...], told: str) -> None:
    done = box.agent("clouds", "record", *words, check=False)
    assert done.returncode == 2 and told in done.stderr
