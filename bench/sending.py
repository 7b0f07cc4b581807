"""Sending, against a loop that does what the sender before us does."""

from __future__ import annotations

from typing import Iterator

from bench.figure import Figure, in_turn, ratio
from bench.loops import POLL
from bench.post import RECORDS, post_of
from bench.session import Session

NAME, TARGET = "sending", 10.0


def measure(session: Session) -> Iterator[Figure]:
    post, few = post_of(session), session.size(100, 20)
    yield ratio(
        NAME,
        in_turn(session.turns, post.agent, lambda: post.loop("ssmsend", few)),
        "messages/s",
        TARGET,
        f"'accounting send' of {post.messages} packed messages of {RECORDS} records to a real ActiveMQ over TLS "
        "(persistent, signing and settling included, without the start of the process), over a loop that sends "
        f"{few} of them as ssmsend does: signed by the openssl command, one connection without TCP_NODELAY, each "
        f"receipt awaited by looking every {POLL * 1000:g} ms; at least the target.",
        at_least=True,
    )
