"""Months that were sent anew, months of machines that were let go, and checksums of what waits to leave."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; what waits now is taken to be whole."""
    op.add_column("message", sa.Column("checksum", sa.Text))
    connection = op.get_bind()
    message = sa.table("message", sa.column("id"), sa.column("body"), sa.column("checksum"))
    for identity in connection.execute(sa.select(message.c.id)).scalars().all():
        body = bytes(connection.execute(sa.select(message.c.body).where(message.c.id == identity)).scalar_one())
        checksum = hashlib.sha256(body).hexdigest()
        connection.execute(sa.update(message).where(message.c.id == identity).values(checksum=checksum))
    op.create_index("ix_record_vm", "record", ["vm"])
    op.create_table(
        "republication",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("cloud", sa.Text),
        sa.Column("vo", sa.Text),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("vm", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_republication"),
    )
    op.create_table(
        "closing",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("vo", sa.Text, nullable=False),
        sa.Column("fqan", sa.Text, nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("machines", sa.BigInteger, nullable=False),
        sa.Column("wall", sa.BigInteger, nullable=False),
        sa.Column("processors", sa.BigInteger, nullable=False),
        sa.Column("cpu", sa.BigInteger, nullable=False),
        sa.Column("cpu_count", sa.BigInteger, nullable=False),
        sa.Column("network_in", sa.BigInteger, nullable=False),
        sa.Column("network_out", sa.BigInteger, nullable=False),
        sa.Column("memory", sa.BigInteger, nullable=False),
        sa.Column("disk", sa.BigInteger, nullable=False),
        sa.Column("earliest_start", sa.BigInteger, nullable=False),
        sa.Column("latest_start", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("destination", "cloud", "site", "vo", "fqan", "month", name="pk_closing"),
    )
    op.create_table(
        "departed",
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cloud", "digest", name="pk_departed"),
    )
