"""Accounts that follow Perun: whose they are, what was done to them, and the lists that said so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ownership",
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("vo", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("uid", sa.Text),
        sa.Column("facility", sa.Text, nullable=False),
        sa.Column("mark_perun", sa.Text, nullable=False),
        sa.Column("mark_user", sa.Text, nullable=False),
        sa.Column("mark_vo", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("keys", sa.Text),
        sa.Column("missing_since", sa.BigInteger),
        sa.Column("overdue_since", sa.BigInteger),
        sa.Column("former", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cloud", "name", name="pk_ownership"),
    )
    op.create_table(
        "guard",
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("facility", sa.Text, nullable=False),
        sa.Column("vo", sa.Text, nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("cloud", "facility", "vo", name="pk_guard"),
    )
    op.create_table(
        "deed",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("vo", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deed"),
    )
    op.create_index("ix_deed_cloud_name", "deed", ["cloud", "name"])
    op.create_table(
        "payload",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("facility", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("run", sa.Text),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payload"),
    )
    op.create_index("ix_payload_facility", "payload", ["facility", "id"])
