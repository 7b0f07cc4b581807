"""One round: the step from the tree that stands to what is offered now, written down, told to the server, and verified.

The order is what makes it safe. The step is on disk, marked as not yet told, before the server hears of it; the mark
goes when every operation was answered with success. Whoever finds the mark, a server that is not the one that was told
last, or a look that is an hour old reads the whole tree back, compares it entry by entry and sends what is missing.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from fedcloud_agent.clock import HOUR
from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.differences import Differences, Step, is_old
from fedcloud_agent.infosys.in_place import Offered, short_way
from fedcloud_agent.infosys.kept import Kept
from fedcloud_agent.infosys.repair import repair
from fedcloud_agent.infosys.server import await_load, identity, tell
from fedcloud_agent.infosys.sifting import sift, summary
from fedcloud_agent.infosys.slapd import serving
from fedcloud_agent.infosys.slapd.serving import Serving
from fedcloud_agent.ldap import DeniedError, Directory, LdapError, Operation, Refused

log = logging.getLogger(__name__)

_MANY = 0.1
"""When more than this part of the tree is wrong, the server is loaded anew."""
_LOADS = 2
PATIENCE = 180.0
"""Seconds in which the server has to take what it is told: a hand-over may have to wait for the last one's clients."""
_PAUSE = 0.2
_NAMED = 5


class Files(NamedTuple):
    """Where the information system keeps what it knows, below the state directory."""

    tree: Path
    picture: Path
    serving: Path

    @staticmethod
    def below(state: Path) -> Files:
        """Return them."""
        room = state / "infosys"
        return Files(room / "tree.sqlite", room / "picture.json", serving.path_of(state))


@dataclass
class Published:
    """What a round did."""

    entries: int = 0
    added: int = 0
    modified: int = 0
    deleted: int = 0
    renewed: int = 0
    loaded: bool = False
    repaired: int = 0
    """Entries that the server did not hold as it should have."""
    verified: bool = False
    unsettled: bool = False
    """Whether entries do not name yet what came with this round."""
    aside: Mapping[str, str] = field(default_factory=dict)
    """What was set aside, and why."""
    lines: Tuple[str, ...] = ()
    seconds: Dict[str, float] = field(default_factory=dict)
    """How long deciding, writing, telling and verifying took."""


def publish(
    files: Files,
    before: Optional[Offered],
    now: Offered,
    picture: str,
    *,
    verify: bool = False,
) -> Published:
    """Bring the tree to what is offered ``now``. ``before`` is what the tree that stands was made from, if known.

    ``picture`` names what ``now`` was made from. ``verify`` asks for a full reading in any case. Raises
    UnreachableError when no server of ours answers (what is to be told is written down by then), RemoteDataError when
    it does not take what it is told, StorageError when the step cannot be written down.
    """
    kept, done = Kept(files.tree), Published()
    watch = _Watch(done)
    said = kept.said()
    step = decide(kept, before, now, done)
    watch.lap("decide")
    told = said.get("server") if "untold" not in said else None
    notes: Dict[str, Optional[str]] = {
        "picture": picture,
        "aside": json.dumps(dict(done.aside)),
        "unsettled": "yes" if done.unsettled else None,
    }
    reload = step.reload or "wanted" not in said
    if reload:
        notes["wanted"] = uuid.uuid4().hex
    if reload or not step.empty:
        notes["untold"] = "yes"
    # who reads from a server that is loaded anew gets all of it, and nothing from before
    kept.step(step.changes, now.now, notes, since=0 if reload else None)
    watch.lap("write")
    last = int(said.get("verified", "0"))
    due = verify or reload or not last <= now.now < last + HOUR
    server = _Delivery(files, kept, PATIENCE, done).deliver(step.phases, None if reload else told, verify=due)
    watch.lap("tell")
    kept.note({"untold": None, "server": identity(server), **({"verified": str(now.now)} if done.verified else {})})
    return done


def decide(kept: Kept, before: Optional[Offered], now: Offered, done: Published) -> Step:
    """Return the step to what is offered now, and note in ``done`` what it will do. Changes nothing."""
    held, said = kept.held(), kept.said()
    oldest = min((one.created for one in held.values() if one.created is not None), default=None)
    settled = "unsettled" not in said and not is_old(oldest, now.now, now.site.settings.validity)
    if before is not None and settled:
        step = short_way(before, now, held)
        if step is not None:
            done.aside, done.entries = json.loads(said.get("aside", "{}")), len(held) - len(step.changes.dropped)
            return _counted(step, done)
    differences = Differences(held, now.now, now.site.settings.validity)
    sifted = sift(now.site, now.now, differences.show)
    done.aside, done.lines = sifted.aside, tuple(summary(sifted))
    if sifted.site is not now.site:
        differences = Differences(held, now.now, now.site.settings.validity)
        for entry in glue20.entries(sifted.site, now.now):
            differences.show(entry)
    step = differences.step(kept.entries(differences.wanted))
    done.entries, done.renewed, done.unsettled = differences.entries, differences.renewed, differences.unsettled
    return _counted(step, done)


def _counted(step: Step, done: Published) -> Step:
    done.added, done.modified, done.deleted = step.sizes
    done.modified -= done.renewed
    return step


class _Delivery:
    """Getting the tree that is kept into the server, whatever happens to the server meanwhile."""

    def __init__(self, files: Files, kept: Kept, patience: float, done: Published) -> None:
        self._files, self._kept, self._patience, self._done = files, kept, patience, done

    def deliver(self, phases: Sequence[Tuple[Operation, ...]], told: Optional[str], *, verify: bool) -> Serving:
        """Tell the server, if it is the one that was ``told`` all before, and verify it where there is a doubt."""
        end = time.monotonic() + self._patience
        while True:
            server = self._reach(end)
            try:
                with Directory(server.ldapi, external=True) as directory:
                    refused = self._tell(directory, phases) if identity(server) == told else None
                    if refused != () or verify:
                        self._verify(directory, end)
                return server
            except NotAsKeptError:
                self._load()
                told = None
            except DeniedError:
                raise
            except LdapError as error:
                # it went away in the midst of it: its supervisor starts it again, and what it holds has to be seen
                if time.monotonic() >= end:
                    raise
                log.warning("%s; trying again", error)
                told = None
                time.sleep(_PAUSE)

    def _reach(self, end: float) -> Serving:
        wanted = self._kept.wanted()
        assert wanted is not None
        return await_load(self._files.serving, wanted, max(0.0, end - time.monotonic()))

    def _tell(self, directory: Directory, phases: Sequence[Tuple[Operation, ...]]) -> Tuple[Refused, ...]:
        refused = tell(directory, phases, self._patience)
        for one in refused[:_NAMED]:
            log.warning("%s was refused: %s (%d)", one.operation.dn, one.message, one.code)
        return refused

    def _verify(self, directory: Directory, end: float) -> None:
        """Read the tree back and send what is missing. Raises NotAsKeptError when it has to be loaded anew."""
        begin = time.monotonic()
        wrong = repair(directory, self._kept)
        if wrong is not None:
            adds, modifies, deletes = wrong.sizes
            count = adds + modifies + deletes
            log.warning("%d entries of the server were not as they should be: sending what is missing", count)
            self._done.repaired += count
            if wrong.reload or count > _MANY * self._done.entries or self._tell(directory, wrong.phases):
                raise NotAsKeptError
            if repair(directory, self._kept) is not None:
                raise NotAsKeptError
        self._done.verified = True
        self._done.seconds["verify"] = time.monotonic() - begin

    def _load(self) -> None:
        if self._loads >= _LOADS:
            raise RemoteDataError(
                "the server does not hold the tree that it was given",
                hint="its log tells why; 'fedcloud-agent infosys check' shows what breaks a rule",
            )
        self._loads += 1
        self._done.loaded = True
        self._kept.note({"wanted": uuid.uuid4().hex})

    _loads = 0


class NotAsKeptError(Exception):
    """The server has to be loaded anew; nobody outside of this module meets it."""


class _Watch:
    def __init__(self, done: Published) -> None:
        self._done, self._last = done, time.monotonic()

    def lap(self, name: str) -> None:
        """Note how long it took since the last call."""
        now = time.monotonic()
        self._done.seconds[name] = now - self._last
        self._last = now
