"""The life of our slapd: started, restarted, loaded anew and handed over, and ended in order.

One thread; :meth:`Service.turn` does what is due. Which side is in use, and what its tree came from, is written to
``serving.json`` as soon as it answers.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Tuple

from fedcloud_agent import clock, durable
from fedcloud_agent.errors import AgentError, StorageError
from fedcloud_agent.infosys.kept import Kept
from fedcloud_agent.infosys.settings import InfosysSettings
from fedcloud_agent.infosys.slapd import addresses, configuration, foreign, installation, loading, serving
from fedcloud_agent.infosys.slapd.addresses import Address
from fedcloud_agent.infosys.slapd.installation import Installation
from fedcloud_agent.infosys.slapd.server import Server
from fedcloud_agent.infosys.slapd.side import NAMES, Side, free
from fedcloud_agent.infosys.slapd.watch import Watch

log = logging.getLogger(__name__)

TICK = 0.5
"""The longest pause in seconds: how soon a load that is wanted is begun."""
GRACE = 150.0
"""Seconds in which a server that listens no more may serve its clients to the end."""

_CLOSING = 5.0
_AGAIN = 60.0
"""Seconds after which a load that failed is tried again."""
_CHECK, _MISSES = 5.0, 3
_SHORT = 10.0
"""A slapd that lived for less than so many seconds has died early."""
_RUINED = 4
"""After so many early deaths in a row its databases are suspected."""
_LONGEST_WAIT = 30.0


class Standing(NamedTuple):
    """What is to be served: a side, and the load that its tree came from."""

    side: Side
    load: str


class _Stopped(Exception):  # noqa: N818 -- no error
    """We were asked to end, in the middle of a load."""


class Service:
    """Serves the kept tree below the directory ``state``, as ``settings`` say.

    ``host`` is asked for our name when a tree is loaded; ``stopping`` tells whether we were asked to end meanwhile.
    """

    def __init__(
        self, state: Path, settings: InfosysSettings, host: Callable[[], str], stopping: Callable[[], bool]
    ) -> None:
        room = state / "infosys"
        self._path = serving.path_of(state)
        self._sides = [Side(room / name) for name in NAMES]
        self._kept = Kept(room / "tree.sqlite")
        self._watch = Watch(self._kept)
        self._host = host
        self._stopping = stopping
        self._boot = serving.boot_id()
        self._server: Optional[Server] = None
        self._standing: Optional[Standing] = None
        self._former: Optional[Server] = None
        self._former_until = 0.0
        self._anew = False
        self._deaths = 0
        self._restart_at = 0.0
        self._failed = Standing(self._sides[0], "")
        self._again_at = 0.0
        self._check_at = 0.0
        self._misses = 0
        self._found, self._addresses = self._looked_up(settings)

    # ---------------------------------------------------------------- what others see

    @property
    def healthy(self) -> bool:
        """Whether slapd answers, or has nothing to answer with yet."""
        return self._standing is None or (self._server is not None and self._misses == 0)

    @property
    def sentence(self) -> str:
        """How it fares, in one line."""
        where = ", ".join(map(str, self._addresses))
        if self._standing is None:
            return f"waiting for the first tree; nobody listens on {where} before"
        if self._server is None:
            return f"slapd has ended; it is started again on {where}"
        return f"load {self._standing.load} is served on {where}" + (
            "; the former server still has clients" if self._former is not None else ""
        )

    # ---------------------------------------------------------------- begin, turn, end

    def begin(self) -> None:
        """Serve what was served last, or else the kept tree, if there is one. Raises AgentError."""
        durable.make_directory(self._path.parent)
        for side in self._sides:
            side.check()
        for pid in free(self._sides):
            log.warning("process %d of an earlier run still worked on the tree; it was ended", pid)
        self._refuse_others(self._addresses)
        former = self._earlier()
        if former is not None and self._resume(former):
            return
        wanted = self._watch.wanted()
        if wanted is None:
            log.info("there is no tree yet: nobody is served before 'fedcloud-agent infosys publish' has made one")
            return
        side = self._sides[1] if former is not None and former.directory == self._sides[0].name else self._sides[0]
        try:
            self._load(side, wanted)
        except _Stopped:
            return
        self._start(Standing(side, wanted))
        self._forget_other(side)

    def turn(self) -> float:
        """Do all that is due; returns the seconds after which there may be more."""
        try:
            self._look_after()
            self._release()
            self._check()
            self._follow()
        except _Stopped:
            return 0.0
        if self._server is None and self._standing is not None:
            return max(0.0, min(TICK, self._restart_at - time.monotonic()))
        return TICK

    def reconfigure(self, settings: InfosysSettings) -> None:
        """Take other settings; where they differ in what slapd is told, a new server takes over. Raises AgentError."""
        found, listening = self._looked_up(settings)
        if (found, listening) == (self._found, self._addresses):
            return
        self._refuse_others([one for one in listening if one not in self._addresses])
        self._found, self._addresses, self._anew = found, listening, True

    def end(self) -> None:
        """End every slapd in order."""
        for server in (self._former, self._server):
            if server is not None:
                server.end()
        if self._former is not None:
            self._forget(self._former.side)
        self._former = self._server = None

    # ---------------------------------------------------------------- what is there

    def _looked_up(self, settings: InfosysSettings) -> Tuple[Installation, List[Address]]:
        return installation.find(settings.slapd, settings.schema), addresses.present(settings.listen, settings.port)

    def _refuse_others(self, wanted: List[Address]) -> None:
        address = addresses.taken(wanted)
        if address is not None:
            raise foreign.taken(address)

    def _earlier(self) -> Optional[serving.Serving]:
        try:
            return serving.read(self._path)
        except StorageError as error:
            log.warning("%s", error.message)
            return None

    def _resume(self, former: serving.Serving) -> bool:
        """Start on the databases that are there, if they are whole: the machine has not been down since."""
        side = next((one for one in self._sides if one.name == former.directory), None)
        if side is None or former.boot != self._boot or not side.is_loaded(self._configuration(side)):
            return False
        try:
            self._start(Standing(side, former.load))
        except AgentError as error:
            log.error("the tree in %s cannot be served and is loaded anew: %s", side.path, error.message)
            return False
        self._forget_other(side)
        return True

    def _configuration(self, side: Side) -> str:
        return configuration.render(self._found, side, os.geteuid())

    # ---------------------------------------------------------------- slapd itself

    def _start(self, standing: Standing) -> None:
        server = Server.start(self._found, standing.side, self._addresses, standing.load)
        self._server, self._standing = server, standing
        self._misses, self._check_at = 0, time.monotonic() + _CHECK
        log.info(
            "slapd (process %d) serves load %s on %s", server.pid, standing.load, ", ".join(map(str, self._addresses))
        )
        try:
            serving.write(
                self._path,
                serving.Serving(
                    pid=server.pid,
                    ldapi=standing.side.ldapi,
                    port=self._addresses[0].port,
                    directory=standing.side.name,
                    load=standing.load,
                    started=clock.now(),
                    boot=self._boot,
                ),
            )
        except AgentError as error:
            # readers are served all the same; the next start loads the tree anew
            log.error("%s", error.message)

    def _look_after(self) -> None:
        """Start slapd again when it has ended: at once, or after a while when it ends again and again."""
        now = time.monotonic()
        if self._server is not None:
            ended = self._server.poll()
            if ended is None:
                return
            lived = now - self._server.started
            self._server = None
            self._died(1 if lived > _SHORT else self._deaths + 1)
            log.error("%s, %.1f s after its start; it is started again", ended, lived)
        if self._standing is not None and now >= self._restart_at:
            try:
                self._start(self._standing)
            except AgentError as error:
                address = addresses.taken(self._addresses)
                why = foreign.taken(address) if address is not None else error
                self._died(self._deaths + 1)
                log.error("slapd was not started again, and will be tried soon: %s", why.message)

    def _died(self, deaths: int) -> None:
        self._deaths = deaths
        self._restart_at = time.monotonic() + (min(_LONGEST_WAIT, 0.25 * 2 ** (deaths - 2)) if deaths > 1 else 0.0)
        if deaths == _RUINED:
            log.warning("its databases are suspected; the tree is loaded anew")
            self._anew = True

    def _check(self) -> None:
        """Ask slapd now and then; one that has not answered several times in a row is ended, and so restarted."""
        now = time.monotonic()
        if self._server is None or now < self._check_at:
            return
        self._check_at = now + _CHECK
        self._misses = 0 if self._server.answers() else self._misses + 1
        if self._misses == _MISSES:
            log.error("slapd (process %d) runs but does not answer; it is ended", self._server.pid)
            self._server.kill()

    # ---------------------------------------------------------------- another tree

    def _follow(self) -> None:
        """Load what is wanted, beside what is served, and hand over."""
        wanted = self._watch.wanted()
        standing = self._standing
        if wanted is None or (standing is not None and standing.load == wanted and not self._anew):
            return
        if self._former is not None or (self._failed.load == wanted and time.monotonic() < self._again_at):
            return
        side = self._sides[1] if standing is not None and standing.side is self._sides[0] else self._sides[0]
        try:
            self._load(side, wanted)
            self._hand_over(Standing(side, wanted))
        except AgentError as error:
            self._failed, self._again_at = Standing(side, wanted), time.monotonic() + _AGAIN
            log.error(
                "load %s cannot be served%s: %s",
                wanted,
                "; the old tree stays" if standing is not None else "",
                error.message,
            )
        else:
            self._anew, self._deaths = False, 0

    def _load(self, side: Side, wanted: str) -> None:
        text = self._configuration(side)
        loading.load(self._found, side, text, self._kept.records(), self._host(), between=self._between)

    def _between(self) -> None:
        if self._stopping():
            raise _Stopped
        self._look_after()

    def _hand_over(self, standing: Standing) -> None:
        """Let the old server listen no more and the new one at once. Raises AgentError; the old one is then back."""
        before, old = self._standing, self._server
        began = time.monotonic()
        if old is not None:
            old.hang_up()
            if not addresses.await_free(self._addresses, _CLOSING):
                log.warning("the former slapd still listens %g s after it was told not to; it is ended", _CLOSING)
                old.end()
            self._server = None
        try:
            self._start(standing)
        except AgentError:
            if old is not None:
                old.end()
            self._standing, self._restart_at = before, 0.0
            self._look_after()
            self._forget(standing.side)
            raise
        if old is not None:
            self._former, self._former_until = old, time.monotonic() + GRACE
            log.info("handed over: for %.0f ms nobody listened", (time.monotonic() - began) * 1000)
        elif before is not None:
            self._forget(before.side)

    def _release(self) -> None:
        """Remove the former server's side once it has served its last client."""
        if self._former is None:
            return
        if self._former.poll() is None:
            if time.monotonic() < self._former_until:
                return
            log.warning("the former slapd still had clients after %g s; it is ended", GRACE)
            self._former.end()
        former, self._former = self._former, None
        self._forget(former.side)

    def _forget_other(self, side: Side) -> None:
        for other in self._sides:
            if other is not side:
                self._forget(other)

    def _forget(self, side: Side) -> None:
        try:
            side.remove()
        except StorageError as error:
            log.warning("%s", error.message)
