"""``python -m bench [--quick] [NAME ...]``: measure the figures, print a line for each, and keep them."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, Optional

from bench.figure import Figure
from bench.session import Session

LATEST = Path(__file__).parent / "latest.json"
FIGURES: Dict[str, str] = {
    "first-extraction": "first_extraction",
    "extraction-cpu": "extraction_cpu",
    "hourly-calls": "hourly_calls",
    "caso": "caso",
    "sending": "sending",
    "sending-bare": "sending_bare",
    "memory": "memory",
    "oned-memory": "oned_memory",
    "oned-calls": "oned_calls",
    "oned-parse": "oned_parse",
    "idle-daemon": "idle_daemon",
    "help": "help_text",
    "infosys-start": "infosys_start",
    "infosys-round": "infosys_round",
}
"""What can be measured, in this order, and the module that does; a module may give several figures."""


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure what the agent costs, as ratios.")
    parser.add_argument(
        "--quick", action="store_true", help="small numbers, one turn; bench/latest.json stays as it is"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(FIGURES)}")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in FIGURES]
    if unknown:
        parser.error(f"no figure {unknown[0]!r}: there are {', '.join(FIGURES)}")
    missed = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, Session(Path(directory), given.quick) as session:
        for name in given.names or FIGURES:
            began = time.monotonic()
            for figure in importlib.import_module(f"bench.{FIGURES[name]}").measure(session):
                print(figure.line(), flush=True)
                missed += not figure.met
                if not given.quick:
                    keep(figure)
            print(f"  ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    if missed:
        print(f"{missed} missed", file=sys.stderr)
    return 0


def keep(figure: Figure, path: Path = LATEST) -> None:
    """Put a figure in the place of its former measurement; the others stay."""
    known: List[Dict[str, object]] = json.loads(path.read_text()) if path.exists() else []
    places = [place for place, one in enumerate(known) if one["name"] == figure.name]
    if places:
        known[places[0]] = figure.as_json()
    else:
        known.append(figure.as_json())
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(known, indent=1) + "\n")
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
