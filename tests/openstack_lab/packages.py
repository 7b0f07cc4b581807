"""Packages that are unpacked below the lab: installing them would make users, services and files in /etc."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNPACKED = ("rabbitmq-server", "nova-common", "glance-common", "neutron-common")


def unpack(target: Path) -> None:
    """Fetch the packages with apt and unpack each into a directory of its name, unless that was done before."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in UNPACKED if not (target / name).exists()]
    if not wanted:
        return
    subprocess.run(
        ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *wanted],
        cwd=target,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=300,
    )
    for name in wanted:
        (archive,) = target.glob(f"{name}_*.deb")
        subprocess.run(["dpkg", "-x", archive, target / name], check=True, timeout=60)
        archive.unlink()


def rabbitmq(target: Path) -> Path:
    """Return RabbitMQ's own directory, which Debian names by its version."""
    (home,) = (target / "rabbitmq-server/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
    return home
