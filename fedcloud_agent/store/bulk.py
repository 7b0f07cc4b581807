"""Many rows by one statement."""

from __future__ import annotations

from typing import Any, Dict, Sequence

from sqlalchemy.engine import Connection


def run_many(connection: Connection, statement: Any, rows: Sequence[Dict[str, Any]]) -> None:
    """Execute a statement once for each set of parameters; no rows, no call."""
    if rows:
        connection.execute(statement, list(rows))
