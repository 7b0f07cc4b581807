"""What plugins want to be told again of machines and scopes, and a machine's own SiteName."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nothing was told yet."""
    op.add_column("vm", sa.Column("site", sa.Text))
    op.add_column("vm", sa.Column("trace", sa.Text))
    op.add_column("scope", sa.Column("mark", sa.Text))
