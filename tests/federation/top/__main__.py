"""Run a Top-BDII: ``python -m tests.federation.top --directory D --port 2170 --sources FILE --log FILE``.

It begins with an empty tree, and ends when it is told to stop.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Callable, Optional, Sequence, Tuple

from tests.federation.top.cycles import Cycle, Look
from tests.federation.top.directory import Directory
from tests.federation.top.sources import DEADLINE, GRID, LIMIT, Pull, Source, pull_all, sources_in
from tests.federation.top.update import Update

STEM = f"""\
dn: o=glue
objectClass: organization
o: glue

dn: GLUE2GroupID=resource,o=glue
objectClass: GLUE2Group
GLUE2GroupID: resource

dn: {GRID}
objectClass: GLUE2Group
GLUE2GroupID: grid

"""
"""What every Top has, whatever its sources say."""


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.federation.top", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="of its slapd; what is there is removed")
    parser.add_argument("--port", type=int, required=True, help="where clients ask")
    parser.add_argument("--sources", type=Path, required=True, help="lines of a site's name and its URL")
    parser.add_argument("--log", type=Path, required=True, help="each cycle as a JSON object")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds from one cycle to the next")
    parser.add_argument("--delete-delay", type=float, default=0.0, help="seconds for which what is gone stays")
    parser.add_argument("--images", action="store_true", help="ask without a filter, as Tops did for long")
    parser.add_argument("--deadline", type=float, default=DEADLINE, help="seconds for each source")
    parser.add_argument("--limit", type=int, default=LIMIT, help="bytes of each source's answer")
    parser.add_argument("--pid-file", type=Path, help="written after the first cycle")
    return parser.parse_args(arguments)


def cycle(
    number: int,
    file: Path,
    pull: Callable[[Source], Tuple[Look, str]],
    update: Update,
    stopping: threading.Event,
) -> Optional[Cycle]:
    """Ask all sources and bring the tree to what they say; None when told to stop before all have answered.

    What they answer then is nobody's word: whoever stops us has stopped those who ask, too.
    """
    began, start = time.time(), time.monotonic()
    sources, errors = sources_in(file.read_text())
    pulled = pull_all(sources, pull)
    if stopping.is_set():
        return None
    outcome = update.round(STEM + "".join(text for _, text in pulled.values()), began)
    return Cycle(
        number=number,
        began=began,
        seconds=round(time.monotonic() - start, 3),
        sources={name: look for name, (look, _) in pulled.items()},
        entries=outcome.entries,
        added=outcome.added,
        modified=outcome.modified,
        deleted=outcome.deleted,
        delayed=outcome.delayed,
        errors=errors + outcome.errors,
    )


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _arguments(arguments)
    stopping = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stopping.set())
    shutil.rmtree(options.directory, ignore_errors=True)
    answers = options.directory / "answers"
    answers.mkdir(parents=True)
    pull = Pull(answers, images=options.images, deadline=options.deadline, limit=options.limit)
    with Directory(options.directory, options.port, threads=64) as directory, options.log.open("a") as log:
        update = Update(directory, options.delete_delay)
        for number in itertools.count(1):
            done = cycle(number, options.sources, pull, update, stopping)
            if done is None:
                break
            log.write(done.line())
            log.flush()
            if number == 1 and options.pid_file:
                options.pid_file.write_text(str(os.getpid()))
            if stopping.wait(options.interval):
                break
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
