"""Accounts that are ours, what was done to them, and the lists that said so.

No row holds a subject, a mail or a person's name: those are in the payloads' files, which are forgotten soon.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from fedcloud_agent.store.schema import metadata

ownership = Table(
    "ownership",
    metadata,
    Column("cloud", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("vo", Text, nullable=False),
    Column("person", Text, nullable=False),  # who it is for Perun now
    Column("uid", Text),
    Column("facility", Text, nullable=False),  # which facility last listed this person
    Column("mark_perun", Text, nullable=False),  # what the account bears
    Column("mark_user", Text, nullable=False),
    Column("mark_vo", Text, nullable=False),
    Column("state", Text, nullable=False),  # creating, owned, deleting, deleted
    Column("account", Text),  # the cloud's id
    Column("keys", Text),  # digest of the SSH keys that we wrote
    Column("missing_since", BigInteger),
    Column("overdue_since", BigInteger),
    Column("former", Text, nullable=False),  # JSON: ids of the accounts that had this name before
)

guard = Table(
    "guard",
    metadata,
    Column("cloud", Text, primary_key=True),
    Column("facility", Text, primary_key=True),
    Column("vo", Text, primary_key=True),
    Column("base", Integer, nullable=False),  # how many active accounts there were when it first held
)

deed = Table(
    "deed",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Text, nullable=False),
    Column("begun", BigInteger, nullable=False),
    Column("ended", BigInteger),  # null: a crash came in between, or it is being done
    Column("cloud", Text, nullable=False),
    Column("vo", Text, nullable=False),
    Column("person", Text),
    Column("name", Text, nullable=False),
    Column("account", Text),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("error", Text),
)
Index("ix_deed_cloud_name", deed.c.cloud, deed.c.name)

payload = Table(
    "payload",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("run", Text),  # Perun's own number
    Column("received", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the archive
    Column("file", Text, nullable=False),
)
Index("ix_payload_facility", payload.c.facility, payload.c.id)
