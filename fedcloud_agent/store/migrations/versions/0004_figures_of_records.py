"""The numbers of each record: of the newest, of the one on its way, and of the one that was acknowledged."""

from __future__ import annotations

from typing import Any, Dict, List

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PAGE = 1000
_FIELDS = ("StartTime", "WallDuration", "CpuDuration", "NetworkInbound", "NetworkOutbound", "Memory", "Disk")


def upgrade() -> None:
    """Add the columns and read the numbers of the newest records out of their texts.

    What was acknowledged is known where it is the newest, and only there.
    """
    # SQLite adds no column that is never null without a default
    op.add_column("record", sa.Column("figures", sa.Text, nullable=False, server_default=""))
    op.add_column("record", sa.Column("flying_figures", sa.Text))
    op.add_column("record", sa.Column("published_figures", sa.Text))
    connection = op.get_bind()
    after: Dict[str, Any] = {"destination": "", "vm": -1, "month": -1}
    while True:
        rows = connection.execute(
            sa.text(
                "SELECT destination, vm, month, measured, content FROM record"
                " WHERE destination > :destination"
                " OR (destination = :destination AND (vm > :vm OR (vm = :vm AND month > :month)))"
                " ORDER BY destination, vm, month LIMIT :page"
            ),
            {**after, "page": _PAGE},
        ).all()
        if not rows:
            break
        after = {"destination": rows[-1].destination, "vm": rows[-1].vm, "month": rows[-1].month}
        connection.execute(
            sa.text(
                "UPDATE record SET figures = :figures"
                " WHERE destination = :destination AND vm = :vm AND month = :month"
            ),
            _figures(rows),
        )
    connection.execute(sa.text("UPDATE record SET flying_figures = figures WHERE message IS NOT NULL AND pending = 0"))
    connection.execute(
        sa.text(
            "UPDATE record SET published_figures = figures WHERE published IS NOT NULL AND message IS NULL"
            " AND pending = 0 AND rejected IS NULL"
        )
    )


def _figures(rows: Any) -> List[Dict[str, Any]]:
    found = []
    for row in rows:
        fields = dict(line.split(": ", 1) for line in row.content.splitlines() if ": " in line)
        figures = "\t".join([str(row.measured), *[fields.get(name, "") for name in _FIELDS]])
        found.append({"destination": row.destination, "vm": row.vm, "month": row.month, "figures": figures})
    return found
