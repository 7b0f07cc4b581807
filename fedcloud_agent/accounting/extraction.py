"""Extract: collect from one cloud, then make the records that are due. What 'accounting extract' and its loop do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Sequence

from sqlalchemy import select

from fedcloud_agent.accounting import ledger, making, retention
from fedcloud_agent.accounting.collection import Collected, Terms, collect
from fedcloud_agent.accounting.measurement import Rules
from fedcloud_agent.accounting.record import Frame
from fedcloud_agent.accounting.settings import AccountingSettings, FirstRun
from fedcloud_agent.accounting.tables import scope
from fedcloud_agent.clock import DAY
from fedcloud_agent.clouds.contract import Problem, UsageFacet
from fedcloud_agent.errors import AgentError
from fedcloud_agent.store import copies
from fedcloud_agent.store.engine import Store


@dataclass
class Extracted:
    """What one extraction did."""

    collected: Collected = field(default_factory=Collected)
    failure: Optional[AgentError] = None
    """What kept the cloud from being listed at all; records that were due from before are made all the same."""
    records: int = 0
    rejected: int = 0
    let_go: int = 0
    """Machines that ended so long ago that only their sums are kept from now on."""
    first_run_open: bool = False
    """No record is made because accounting.first_run is not set."""

    @property
    def failures(self) -> List[AgentError]:
        """Everything that went wrong, the worst first."""
        return ([self.failure] if self.failure else []) + self.collected.failures

    @property
    def problems(self) -> List[Problem]:
        """What a person should hear of."""
        return self.collected.problems


def extract(
    store: Store,
    cloud: str,
    source: UsageFacet,
    frame: Frame,
    settings: AccountingSettings,
    now: Callable[[], int],
    progress: Callable[[int, Optional[int]], None] = lambda machines, expected: None,
    accept_vanished: bool = False,
) -> Extracted:
    """Bring the ledger up to date with one cloud, and the records up to date with the ledger.

    A cloud that cannot be listed is reported in the result, not raised; errors of the store are raised.
    """
    _guard_copy(store, now())
    result = Extracted()
    terms = Terms(settings.full_listing, settings.clock_tolerance, settings.first_run, accept_vanished)
    try:
        result.collected = collect(store, cloud, source, terms, now, progress)
    except AgentError as error:
        if error.exit_code == 74:
            raise
        result.failure = error
    destinations = sorted(settings.destinations)
    streams = _begun(store, cloud, destinations, settings.first_run, whole=not result.failures)
    result.first_run_open = settings.first_run is None and len(streams) < len(destinations)
    if streams:
        rules = Rules(settings.cpu_duration, settings.cpu_count)
        for name, as_of in _scopes(store, cloud).items():
            while True:
                with store.write() as connection:
                    made = making.make(connection, cloud, name, as_of, streams, frame, rules, settings.resend)
                result.records += made.records
                result.rejected += made.rejected
                if made.machines < making.CHUNK:
                    break
    if len(streams) == len(destinations) and result.collected.full:
        result.let_go = retention.let_go(store, cloud, destinations, now() - settings.keep_machines)
    return result


def _begun(
    store: Store, cloud: str, destinations: Sequence[str], first_run: Optional[FirstRun], whole: bool
) -> List[making.Stream]:
    """Return the streams that have begun, beginning those that can.

    A stream begins only after the whole cloud was listed: a project that came later would fall under another rule. One
    that its destination left for a while goes on under the rule with which it began.
    """
    with store.read() as connection:
        begun = making.streams(connection, cloud)
    left = [name for name, one in begun.items() if name not in destinations and not one.resting]
    back = [name for name in destinations if name in begun and begun[name].resting]
    if left or back:
        with store.write() as connection:
            if left:
                making.rest(connection, cloud, left)
            if back:
                making.resume(connection, cloud, back)
    streams = [begun[name] for name in destinations if name in begun]
    fresh = [name for name in destinations if name not in begun]
    scopes = _scopes(store, cloud)
    if fresh and first_run is not None and whole and scopes:
        with store.write() as connection:
            streams += [making.begin_stream(connection, cloud, name, first_run, max(scopes.values())) for name in fresh]
    return streams


def _scopes(store: Store, cloud: str) -> Dict[str, int]:
    with store.read() as connection:
        rows = connection.execute(
            select(scope.c.name, scope.c.as_of).where(scope.c.cloud == cloud, scope.c.as_of.is_not(None))
        ).all()
    return {row.name: row.as_of for row in rows}


def _guard_copy(store: Store, now: int) -> None:
    """Keep a copy of the embedded database that is a day old at most; draw the consequences if we live on one."""
    if store.path is None:
        return
    if copies.was_restored(store.path):
        with store.write() as connection:
            ledger.distrust(connection)
        copies.mark_restored(store.path, False)
    copies.refresh(store.path, now, DAY)
