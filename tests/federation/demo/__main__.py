"""Let months pass in a federation in a box, and compare the books with the truth at the end.

Nothing outside of one directory is touched, and nothing listens but on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Optional, Sequence

from tests.federation.demo.story import play
from tests.federation.demo.telling import Teller


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the demo and return 0 when every month of every VO and cloud is right to the second, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.federation.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit code: 0 when every month of every VO and cloud is right to the second, else 1.",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in the new directory DIR and leave it behind")
    options = parser.parse_args(arguments)
    if options.keep is None:
        with tempfile.TemporaryDirectory(prefix="fedcloud-demo-") as directory:
            return _run(Path(directory), None)
    try:
        options.keep.mkdir(parents=True)
    except OSError as error:
        parser.error(f"{options.keep} cannot be made: {error.strerror}; name a directory that does not exist yet")
    return _run(options.keep.absolute(), options.keep)


def _run(directory: Path, kept: Optional[Path]) -> int:
    teller = Teller()
    try:
        books = play(directory, teller)
    except KeyboardInterrupt:
        teller.end(False, "Interrupted.")
        return 130
    teller.verdict(books.months)
    wrong = sum(not month.equal for month in books.months)
    teller.end(
        books.good,
        f"All {len(books.months)} rows are equal to the second, in both repositories."
        if books.good
        else f"{wrong} of {len(books.months)} rows differ, {books.refused} messages were refused, "
        f"{books.two_faced} came with two contents. That is a fault of ours: please report it.",
    )
    if kept is not None:
        teller.remark(
            f"Look around in {kept}: etc/agent.yaml, state/, daemon/daemon.log, central/, and with\n"
            f"  .venv/bin/fedcloud-agent --config {kept}/etc accounting show\n"
            f"  .venv/bin/python -m tests.federation.central.show {kept}/central/central.sqlite summaries"
        )
    return 0 if books.good else 1


if __name__ == "__main__":
    raise SystemExit(main())
