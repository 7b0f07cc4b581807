"""How what the agent let go of comes to the repository: by the program that reads a directory, the broker, or AMS."""

from __future__ import annotations

import hashlib
import secrets
import time
from pathlib import Path

from tests.federation.box import Box
from tests.federation.central.controller import QUEUE
from tests.federation.central.repository import ACCEPTED, PING, REJECTED, Delivery, Repository
from tests.federation.central.wire import Link


def from_directory(outgoing: Path, repository: Repository) -> int:
    """Take every message in the order of their names, as ssmsend does, and return how many there were.

    Files ending in ``.tmp`` are not looked at: they are not there yet.
    """
    count = 0
    for path in sorted(outgoing.glob("*/*")):
        if path.suffix == ".tmp":
            continue
        body = path.read_bytes()
        loaded = repository.load(body.decode("ascii"))
        digest = hashlib.sha256(body).hexdigest()
        outcome = ACCEPTED if loaded.accepted else REJECTED
        identity = f"{path.parent.name}/{path.name}"
        repository.note(Delivery(identity, 0.0, outcome, loaded.reason, None, digest, digest, loaded.records))
        path.unlink()
        count += 1
    return count


def from_broker(box: Box, seconds: float = 60) -> None:
    """Wait until all that the broker holds has come to the repository: a marker goes the same way behind it."""
    assert box.broker is not None
    marker = secrets.token_hex(16).encode()
    with Link(("127.0.0.1", box.broker.port), box.broker.client.certificate, box.broker.client.key) as link:
        headers = {"destination": QUEUE, "persistent": "true", "empa-id": "ping", "receipt": "marker"}
        link.send("SEND", headers, marker)
        link.await_frame("RECEIPT")
    digest = hashlib.sha256(marker).hexdigest()
    deadline = time.monotonic() + seconds
    with box.repository() as repository:
        while not any(message.wire_sha256 == digest for message in repository.messages(PING)):
            if time.monotonic() > deadline:
                raise AssertionError(f"the repository is not up to date with the broker after {seconds:g} s")
            time.sleep(0.05)


def from_ams(box: Box, seconds: float = 60) -> None:
    """Wait until all that the messaging service holds has come to the repository behind it."""
    assert box.ams is not None
    deadline = time.monotonic() + seconds
    while box.ams.left():
        if time.monotonic() > deadline:
            raise AssertionError(f"the repository is not up to date with the service after {seconds:g} s")
        time.sleep(0.02)
