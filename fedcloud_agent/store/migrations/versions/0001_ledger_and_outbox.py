"""The ledger of virtual machines and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "message",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("attempted", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    op.create_index("ix_message_destination_state_id", "message", ["destination", "state", "id"])
    op.create_table(
        "identity",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("last", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("destination", name="pk_identity"),
    )
    op.create_table(
        "vm",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("uuid", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("cloud_status", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("global_user", sa.Text),
        sa.Column("vo", sa.Text, nullable=False),
        sa.Column("start", sa.BigInteger),
        sa.Column("end", sa.BigInteger),
        sa.Column("changed", sa.BigInteger),
        sa.Column("cpu_count", sa.Integer, nullable=False),
        sa.Column("memory", sa.BigInteger, nullable=False),
        sa.Column("disk", sa.BigInteger, nullable=False),
        sa.Column("image", sa.Text),
        sa.Column("public_ips", sa.Integer),
        sa.Column("running", sa.Text),
        sa.Column("cpu_seconds", sa.BigInteger),
        sa.Column("network_in", sa.BigInteger),
        sa.Column("network_out", sa.BigInteger),
        sa.Column("benchmark_type", sa.Text),
        sa.Column("benchmark", sa.Float),
        sa.Column("sizes", sa.Text),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("alive_at", sa.BigInteger),
        sa.Column("seen_full", sa.Integer, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("missed_since", sa.BigInteger),
        sa.Column("unreadable", sa.Text),
        sa.Column("due", sa.BigInteger),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_vm"),
    )
    op.create_index("uq_vm_cloud_uuid", "vm", ["cloud", "uuid"], unique=True)
    op.create_index("ix_vm_cloud_due", "vm", ["cloud", "scope", "due"])
    op.create_table(
        "scope",
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger),
        sa.Column("full_as_of", sa.BigInteger),
        sa.Column("full_number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("cloud", "name", name="pk_scope"),
    )
    op.create_table(
        "stream",
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("baseline", sa.BigInteger),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("cloud", "destination", name="pk_stream"),
    )
    op.create_table(
        "record",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("vm", sa.Integer, nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("measured", sa.BigInteger, nullable=False),
        sa.Column("wall", sa.BigInteger, nullable=False),
        sa.Column("cpu", sa.BigInteger, nullable=False),
        sa.Column("network_in", sa.BigInteger),
        sa.Column("network_out", sa.BigInteger),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("key_fields", sa.Text, nullable=False),
        sa.Column("pending", sa.Integer, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("flying", sa.Text),
        sa.Column("published", sa.Text),
        sa.Column("acknowledged", sa.BigInteger),
        sa.Column("peer", sa.Text),
        sa.Column("rejected", sa.Text),
        sa.PrimaryKeyConstraint("destination", "vm", "month", name="pk_record"),
        sa.ForeignKeyConstraint(["vm"], ["vm.id"], name="fk_record_vm"),
    )
    pending, flying = sa.text("pending = 1"), sa.text("message IS NOT NULL")
    op.create_index(
        "ix_record_pending", "record", ["destination", "vm"], sqlite_where=pending, postgresql_where=pending
    )
    op.create_index("ix_record_message", "record", ["message"], sqlite_where=flying, postgresql_where=flying)
