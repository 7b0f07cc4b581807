"""Perun pushes over a real OpenSSH server; nothing on its side knows that it is not its own scripts that answer."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from tests.federation.sshd import Sshd
from tests.federation.users.push import Row, push
from tests.federation.users.site import PERUN, Site

CROWD: List[Row] = [(n, "vo.a") for n in range(1, 10)]


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[Tuple[Site, Sshd]]:
    site = Site(tmp_path)
    with Sshd(tmp_path / "sshd", shlex.join(site.forced_command())) as server:
        yield site, server


def test_lists_are_pushed_over_ssh(pushed: Tuple[Site, Sshd]) -> None:
    site, server = pushed
    answer = server.push(push(CROWD), PERUN)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert b"9 x create" in answer.stdout and len(site.accounts()) == 9
    answer = server.push(push(CROWD), PERUN)
    assert (answer.returncode, answer.stderr, site.writes()) == (0, b"", 9)
    # an empty list, a cut archive, another command: the exit codes arrive
    assert server.push(push([]), PERUN).returncode == 60
    assert server.push(push(CROWD)[:3000], PERUN).returncode == 2
    assert server.push(b"", PERUN).returncode == 2
    assert server.push(push(CROWD), "cat", "/etc/passwd").returncode == 9
    assert server.push(push(CROWD), f"{PERUN}; id").returncode == 9
    assert all(site.accounts().values()) and site.writes() == 9


def test_another_key_is_not_let_in(pushed: Tuple[Site, Sshd]) -> None:
    site, server = pushed
    answer = server.push(push(CROWD), PERUN, options={"IdentitiesOnly": "yes", "PubkeyAuthentication": "no"})
    assert answer.returncode == 255 and site.accounts() == {}
