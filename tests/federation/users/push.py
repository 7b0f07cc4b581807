"""A push as Perun's engine makes it: the archive of one service."""

from __future__ import annotations

import io
import tarfile
from typing import Dict, Iterable, Optional, Tuple

RS = "\x1e"

Row = Tuple[int, str]
"""The number of a person, and a VO."""


def lines(rows: Iterable[Row]) -> bytes:
    """Return the file of fedcloud_export for some persons."""
    return "".join(
        RS.join((f"{vo}_{n}", vo, f"/DC=org/DC=example/CN=Person {n}", f"person{n}@example.org", f"ssh-rsa K{n}"))
        + "\n"
        for n, vo in rows
    ).encode()


def members(rows: Iterable[Row], **changes: Optional[bytes]) -> Dict[str, bytes]:
    """Return what is in the archive; None leaves a member out."""
    found: Dict[str, Optional[bytes]] = {
        "HOSTNAME": b"cloud.example.org",
        "FACILITY": b"SITE\n",
        "SERVICE": b"fedcloud_export\n",
        "VERSION": b"3.1.0\n",
        "RUN_ID": b"77",
        "CLOUD_PLATFORM": b"opennebula",
        "fedcloud_export": lines(rows),
        **changes,
    }
    return {name: content for name, content in found.items() if content is not None}


def archive(content: Dict[str, bytes]) -> bytes:
    """Return an archive as GNU tar writes one."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(content):
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content[name])
            tar.addfile(member, io.BytesIO(content[name]))
    return buffer.getvalue()


def push(rows: Iterable[Row], **changes: Optional[bytes]) -> bytes:
    """Return the archive that lists some persons."""
    return archive(members(rows, **changes))
