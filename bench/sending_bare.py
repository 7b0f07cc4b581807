"""Sending, against the least that has to be done: sign, write to a socket, read the receipts."""

from __future__ import annotations

from typing import Iterator

from bench.figure import Figure, in_turn, ratio
from bench.loops import WINDOW
from bench.post import RECORDS, post_of
from bench.session import Session

NAME, TARGET = "sending-bare", 0.7


def measure(session: Session) -> Iterator[Figure]:
    post = post_of(session)
    yield ratio(
        NAME,
        in_turn(session.turns, post.agent, lambda: post.loop("bare", post.messages)),
        "messages/s",
        TARGET,
        f"'accounting send' of {post.messages} packed messages of {RECORDS} records to a real ActiveMQ over TLS, as in "
        f"'sending', over a bare TLS socket with {WINDOW} receipts open, TCP_NODELAY, messages and key in memory and "
        "the same signing by cryptography in the loop; at least the target.",
        at_least=True,
    )
