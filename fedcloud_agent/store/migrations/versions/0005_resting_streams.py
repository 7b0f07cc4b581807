"""Whether a destination was left out of the configuration for a while, so that it lacks what happened meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whatever is not configured now is noted at the next extraction."""
    op.add_column("stream", sa.Column("resting", sa.Integer))
