"""What the daemon tells the service manager (sd_notify)."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Optional


def notify(**assignments: object) -> None:
    """Send assignments such as ``READY=1`` in one datagram, if a service manager listens.

    A manager that does not take them is no reason to stop.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    text = "\n".join(f"{name}={value}" for name, value in assignments.items())
    try:
        from systemd import daemon
    except ImportError:
        with contextlib.suppress(OSError):
            send(address, text)
    else:
        with contextlib.suppress(OSError):
            daemon.notify(text)


def send(address: str, text: str) -> None:
    """Send the datagram ourselves, where python-systemd is not installed. A leading @ means the abstract namespace."""
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(1)
        channel.sendto(text.encode(), address)


def reloading() -> None:
    """Say that the configuration is read anew; READY=1 says that this is over."""
    notify(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)


def watchdog_period() -> Optional[float]:
    """Return how often, in seconds, the service manager wants to hear from us: twice within its limit; None: never."""
    limit, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not limit.isdigit() or int(limit) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(limit) / 2e6
