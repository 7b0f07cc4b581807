"""Many rows by one statement, into the database and out of it."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from sqlalchemy.engine import Connection, Dialect


def run_many(connection: Connection, statement: Any, rows: Sequence[Dict[str, Any]]) -> None:
    """Execute a statement once for each set of parameters; no rows, no call.

    All rows have the same keys, and values that the driver takes as they are: numbers, texts, None. A statement that
    is kept (a constant of its module) is compiled once.
    """
    if not rows:
        return
    text, values_of, constants = _compiled(statement, connection.dialect, tuple(rows[0]))
    # SQLAlchemy's own way costs several times what SQLite does with a row: it looks for types to convert in each
    if constants:
        rows = [{**constants, **row} for row in rows]
    connection.exec_driver_sql(text, [values_of(row) for row in rows])


def read_many(
    connection: Connection, statement: Any, parameters: Optional[Mapping[str, Any]] = None
) -> List[Tuple[Any, ...]]:
    """Return all that a query finds, as the driver gives it: for columns of numbers and texts, that is as it is."""
    result = connection.execute(statement, parameters or {})
    # one at a time, and each wrapped, they would cost more than SQLite's search for them
    found: List[Tuple[Any, ...]] = result.cursor.fetchall()
    result.close()
    return found


@lru_cache(maxsize=64)
def _compiled(
    statement: Any, dialect: Dialect, keys: Tuple[str, ...]
) -> Tuple[str, Callable[[Dict[str, Any]], Any], Dict[str, Any]]:
    """Return the driver's text, what puts the values of a row in their places, and the statement's constants."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    names = tuple(compiled.positiontup) if compiled.positional else ()
    constants = {name: value for name, value in compiled.params.items() if name not in keys}
    if len(names) > 1:
        return str(compiled), itemgetter(*names), constants
    if names:
        return str(compiled), lambda row: (row[names[0]],), constants
    return str(compiled), lambda row: row, constants  # places are filled by name
