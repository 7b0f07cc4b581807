"""How a Top asks its sources, and what it makes of their answers, as glite-info-provider-ldap does.

A source is a line ``NAME ldap://HOST:PORT/BASE`` of a file that is read in each cycle. Any error of LDAP, an answer
that takes too long and one that is too large mean that the source has no entries in this cycle: a Top keeps no cache.
"""

from __future__ import annotations

import re
import subprocess
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from tests.federation.top.cycles import Look

GRID = "GLUE2GroupID=grid,o=glue"
FILTER = "(!(|(objectClass=GLUE2ApplicationEnvironment)(objectClass=GLUE2Activity)))"
"""What Tops of today ask for: images reach them no more."""
DEADLINE = 30.0
LIMIT = 25_000_000
_AT_ONCE = 10
_IMPATIENCE = 5.0
_SOURCE = re.compile(r"([-.A-Za-z0-9_]+)\s+(ldap://.+:[0-9]+)/(\S+)")
_SUFFIX = re.compile("o=glue", re.IGNORECASE)


class Source(NamedTuple):
    """A site that is read. ``address`` is a URL without a base."""

    name: str
    address: str
    base: str


def base_of(path: str) -> str:
    """Return the base to ask for from that of a site's URL: one of GLUE 2 as it is, a classic one translated."""
    if "o=glue" in path:
        return path
    name = path.partition(",o=grid")[0].rpartition("=")[2]
    return "GLUE2GroupID=resource,o=glue" if name == "resource" else f"GLUE2DomainId={name},o=glue"


def sources_in(text: str) -> Tuple[List[Source], List[str]]:
    """Return the sources that a file names, in the order of their names, and the lines that name none."""
    found: Dict[str, Source] = {}
    wrong: List[str] = []
    for line in text.splitlines():
        written = line.partition("#")[0].strip()
        match = _SOURCE.fullmatch(written)
        if match:
            found[match[1]] = Source(match[1], match[2], base_of(match[3]))
        elif written:
            wrong.append(f"badly formatted line: {written!r}")
    return [found[name] for name in sorted(found)], wrong


class Pull:
    """Asks one source; ``directory`` is for the answers. ``deadline`` is in seconds, ``limit`` in bytes of LDIF."""

    def __init__(
        self, directory: Path, *, images: bool = False, deadline: float = DEADLINE, limit: int = LIMIT
    ) -> None:
        self._directory = directory
        self._filter = [] if images else [FILTER]
        self._deadline = deadline
        self._limit = limit

    def __call__(self, source: Source) -> Tuple[Look, str]:
        """Return how it went, and the entries as the Top has them."""
        began = time.monotonic()
        file = self._directory / f"{source.name}.ldif"
        error = self._ask(source, file)
        text = "" if error else as_top(file.read_text(encoding="utf-8", errors="surrogateescape"))
        size = 0 if error else file.stat().st_size
        return Look(text.count("\n\n"), size, round(time.monotonic() - began, 3), error), text

    def _ask(self, source: Source, file: Path) -> Optional[str]:
        command = ["ldapsearch", "-x", "-LLL", "-H", source.address, "-b", source.base, *self._filter]
        try:
            with file.open("wb") as stream:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="replace",
                    timeout=self._deadline,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            return f"timed out after {self._deadline:g} s"
        if done.returncode != 0:
            said = f"{done.stderr} {file.read_text(errors='replace')[-300:]}"
            return f"ldapsearch failed with {done.returncode}: {' '.join(said.split())}"
        if file.stat().st_size > self._limit:
            return f"{file.stat().st_size} bytes are too much"
        return None


def as_top(answer: str) -> str:
    """Return an answer as the Top has it: unfolded, and each DN below GRID.

    It is the first ``o=glue`` of a DN that is replaced, wherever it stands. What begins with no DN, and what is below
    a domain called grid, is left out.
    """
    kept = []
    for block in answer.replace("\n ", "").split("\n\n"):
        entry = block.strip("\n")
        dn, newline, rest = entry.partition("\n")
        dn = re.sub(r",\s+", ",", dn)
        if dn.startswith("dn:") and "glue2domainid=grid," not in dn.lower():
            kept.append(f"{_SUFFIX.sub(GRID, dn, count=1)}{newline}{rest}\n\n")
    return "".join(kept)


def pull_all(
    sources: Sequence[Source], pull: Callable[[Source], Tuple[Look, str]], impatience: float = _IMPATIENCE
) -> Dict[str, Tuple[Look, str]]:
    """Ask all: ten at once, and ten more whenever none of them has ended for ``impatience`` seconds."""
    waiting = list(sources)
    running: Set[Future[Tuple[Look, str]]] = set()
    begun: Dict[str, Future[Tuple[Look, str]]] = {}
    room = _AT_ONCE
    with ThreadPoolExecutor(max_workers=max(len(waiting), 1)) as pool:
        while waiting or running:
            while waiting and len(running) < room:
                source = waiting.pop(0)
                begun[source.name] = pool.submit(pull, source)
                running.add(begun[source.name])
            ended, running = wait(running, timeout=impatience if waiting else None, return_when=FIRST_COMPLETED)
            if not ended:
                room += _AT_ONCE
    return {name: future.result() for name, future in begun.items()}
