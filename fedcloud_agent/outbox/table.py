"""The table of what must leave this machine. A row is a promise: it goes when the other side has acknowledged it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from fedcloud_agent.store.schema import metadata

QUEUED = "queued"
QUARANTINED = "quarantined"

message = Table(
    "message",
    metadata,
    Column("id", Text, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("attempted", BigInteger),
    Column("reason", Text),
    Column("checksum", Text),  # of the body, SHA-256
)
identity = Table(
    "identity",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("last", Text, nullable=False),  # no later message gets this identity or a smaller one
)
Index("ix_message_destination_state_id", message.c.destination, message.c.state, message.c.id)
