from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.daemon.notify import notify, reloading, watchdog_period


@pytest.fixture(params=["systemd", "own"])
def binding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "own":
        monkeypatch.setitem(sys.modules, "systemd", None)  # as where the package is not installed
    else:
        pytest.importorskip("systemd.daemon")
    return str(request.param)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@fedcloud-agent-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(name.replace("@", "\0"))
        channel.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield channel


def test_what_is_said_arrives_in_one_datagram(binding: str, manager: socket.socket) -> None:
    notify(READY=1, STATUS="2 loops; next accounting of main at noon, é")
    assert manager.recv(4096).decode() == "READY=1\nSTATUS=2 loops; next accounting of main at noon, é"
    reloading()
    assert manager.recv(4096).decode().startswith("RELOADING=1\nMONOTONIC_USEC=")


def test_nobody_listens(binding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(READY=1)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify(READY=1)


@pytest.mark.parametrize(
    ("limit", "pid", "period"),
    [
        (None, None, None),
        ("120000000", None, 60.0),
        ("120000000", "ours", 60.0),
        ("120000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
    ],
)
def test_the_watchdog_is_fed_twice_within_its_limit(
    monkeypatch: pytest.MonkeyPatch, limit: str, pid: str, period: float
) -> None:
    for name, value in (("WATCHDOG_USEC", limit), ("WATCHDOG_PID", str(os.getpid()) if pid == "ours" else pid)):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    assert watchdog_period() == period
