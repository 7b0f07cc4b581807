"""Many rows by one statement."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List, Sequence, Tuple, Union

from sqlalchemy.engine import Connection, Dialect


def run_many(connection: Connection, statement: Any, rows: Sequence[Dict[str, Any]]) -> None:
    """Execute a statement once for each set of parameters; no rows, no call.

    All rows have the same keys, and values that the driver takes as they are: numbers, texts, None. A statement that
    is kept (a constant of its module) is compiled once.
    """
    if not rows:
        return
    text, names, constants = _compiled(statement, connection.dialect, tuple(rows[0]))
    # SQLAlchemy's own way costs several times what SQLite does with a row: it looks for types to convert in each
    parameters: List[Union[Dict[str, Any], Tuple[Any, ...]]] = []
    for row in rows:
        values = {**constants, **row} if constants else row
        parameters.append(tuple([values[name] for name in names]) if names else values)
    connection.exec_driver_sql(text, parameters)


@lru_cache(maxsize=64)
def _compiled(statement: Any, dialect: Dialect, keys: Tuple[str, ...]) -> Tuple[str, Tuple[str, ...], Dict[str, Any]]:
    """Return the driver's text, the names of its places (none: they are filled by name), and its constants."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    names = tuple(compiled.positiontup) if compiled.positional else ()
    constants = {name: value for name, value in compiled.params.items() if name not in keys}
    return str(compiled), names, constants
