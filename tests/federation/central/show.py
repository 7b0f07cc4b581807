"""Show what the central repository holds, one JSON object a line; or run its summariser at a time of your choice."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Callable, Dict, Iterable, Optional, Sequence

from tests.federation.central.repository import Repository

Rows = Iterable[Dict[str, object]]


def _usage(repository: Repository) -> Rows:
    for (vmuuid, year, month), used in repository.usage().items():
        yield {"vmuuid": vmuuid, "year": year, "month": month, **used._asdict()}


_VIEWS: Dict[str, Callable[[Repository], Rows]] = {
    "records": lambda repository: (record._asdict() for record in repository.records()),
    "usage": _usage,
    "summaries": lambda repository: map(dataclasses.asdict, repository.summaries()),
    "messages": lambda repository: map(dataclasses.asdict, repository.messages()),
    "rejects": lambda repository: map(dataclasses.asdict, repository.rejects()),
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Print one view of a database."""
    parser = argparse.ArgumentParser(prog="python -m tests.federation.central.show", description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("view", choices=(*_VIEWS, "summarise"))
    parser.add_argument("--now", type=int, help="instant at which the summariser runs; default: now")
    options = parser.parse_args(arguments)
    if not options.database.exists():
        parser.error(f"there is no database {options.database}")
    with Repository(options.database) as repository:
        if options.view == "summarise":
            repository.summarise(int(time.time()) if options.now is None else options.now)
            options.view = "summaries"
        for row in _VIEWS[options.view](repository):
            print(json.dumps(row))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
