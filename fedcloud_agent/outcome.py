"""What a run leaves for those who ask later: one small JSON file per loop and cloud, in the state directory.

``status``, the daemon and the metrics read it, whether the run was typed or scheduled. A file that cannot be read is
reported and stands in nobody's way: the next run replaces it.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from fedcloud_agent import durable
from fedcloud_agent.errors import StorageError

RUN = "FEDCLOUD_AGENT_RUN"
"""The variable by which the daemon names a run to its child, and by which its processes are found again."""

Figure = Union[int, float]


class DamagedOutcomeError(StorageError):
    """The file of an outcome is not one."""


@dataclass(frozen=True)
class Outcome:
    """How one run of a loop ended."""

    loop: str
    cloud: Optional[str]
    run: str
    """Identity of this run."""
    started: int
    finished: int
    seconds: float
    exit_code: int
    sentence: str
    """What it did, or how far it came, in words and with counts; without a final full stop."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """The counts by name. ``backlog`` is what still waits to be sent."""
    error: Optional[str] = None
    hint: Optional[str] = None
    memory: Optional[int] = None
    """The most memory that it held at once, in bytes."""
    succeeded: Optional[int] = None
    """When this loop last ended well: this run or an earlier one."""
    failures: int = 0
    """How many runs in a row failed, this one included."""

    @property
    def good(self) -> bool:
        """Whether it did what it should."""
        return self.exit_code == 0


_TYPES: Dict[str, Tuple[Any, ...]] = {
    "str": (str,),
    "Optional[str]": (str, type(None)),
    "int": (int,),
    "Optional[int]": (int, type(None)),
    "float": (int, float),
    "Mapping[str, Figure]": (dict,),
}


def key(loop: str, cloud: Optional[str]) -> str:
    """Return the name under which a loop of a cloud keeps its files: ``loop`` or ``loop.cloud``."""
    return loop if cloud is None else f"{loop}.{cloud}"


def title(loop: str, cloud: Optional[str]) -> str:
    """Return how people call a loop of a cloud."""
    return loop if cloud is None else f"{loop} of {cloud}"


def lock_of(state: Path, loop: str, cloud: Optional[str]) -> Path:
    """Return the lock that keeps two runs of one loop and cloud apart."""
    return state / "locks" / f"{key(loop, cloud)}.lock"


def path_of(state: Path, loop: str, cloud: Optional[str]) -> Path:
    """Return where the outcome of a loop's last run lies."""
    return state / "outcomes" / f"{key(loop, cloud)}.json"


def describe(outcome: Outcome) -> str:
    """Return the one sentence that a log shows of a run."""
    words = [title(outcome.loop, outcome.cloud), ": "]
    if not outcome.good:
        words += [f"failed (exit code {outcome.exit_code})", ": " if outcome.error else "", outcome.error or ""]
        words += ["; ", outcome.sentence] if outcome.sentence else []
        if outcome.failures > 1:
            words.append(f"; {outcome.failures} failures in a row")
    else:
        words.append(outcome.sentence or "done")
    return "".join([*words, f" ({outcome.seconds:.1f} s)"])


def write(state: Path, outcome: Outcome) -> Outcome:
    """Replace the outcome of a loop's last run; what it says of earlier runs is taken over from the old file.

    Returns what was written.
    """
    path = path_of(state, outcome.loop, outcome.cloud)
    durable.make_directory(path.parent)
    if outcome.good:
        complete = dataclasses.replace(outcome, succeeded=outcome.finished, failures=0)
    else:
        try:
            before = read(path)
        except DamagedOutcomeError:
            before = None  # it was reported to whoever read it; here it only lacks a past
        counted = before is not None and before.run == outcome.run  # by its own process, before the daemon had its say
        complete = dataclasses.replace(
            outcome,
            succeeded=before.succeeded if before else None,
            failures=(before.failures if before else 0) + (0 if counted else 1),
        )
    durable.write_whole(path, json.dumps(dataclasses.asdict(complete), indent=1).encode() + b"\n")
    return complete


def read(path: Path) -> Optional[Outcome]:
    """Return what a file tells, or None if there is none. Raises DamagedOutcomeError when it tells nothing sensible."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedOutcomeError(f"{path} cannot be read: {error.strerror}") from error
    hint = "the next run replaces it"
    try:
        values = json.loads(content)
    except ValueError:
        raise DamagedOutcomeError(f"{path} is not JSON", hint=hint) from None
    if not isinstance(values, dict):
        raise DamagedOutcomeError(f"{path} is not an outcome", hint=hint)
    known = {}
    for item in dataclasses.fields(Outcome):
        if item.name not in values:
            if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
                raise DamagedOutcomeError(f"{path} is not an outcome: {item.name} is missing", hint=hint)
            continue
        value = values[item.name]
        if not isinstance(value, _TYPES[str(item.type)]) or isinstance(value, bool):
            raise DamagedOutcomeError(f"{path} is not an outcome: {item.name} is {value!r}", hint=hint)
        known[item.name] = value
    if not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in known.get("figures", {}).values()):
        raise DamagedOutcomeError(f"{path} is not an outcome: figures are not all numbers", hint=hint)
    return Outcome(**known)


def read_all(state: Path) -> Tuple[List[Outcome], List[str]]:
    """Return the last outcome of every loop, sorted by file name, and the faults of the files that are damaged."""
    outcomes: List[Outcome] = []
    faults: List[str] = []
    for path in sorted((state / "outcomes").glob("[!.]*.json")):
        try:
            outcome = read(path)
        except DamagedOutcomeError as error:
            faults.append(str(error))
        else:
            if outcome is not None:
                outcomes.append(outcome)
    return outcomes, faults
