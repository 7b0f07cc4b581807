"""A recording accounted for, as if it were the first run at the site that made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional

from sqlalchemy import select

from fedcloud_agent.accounting.extraction import Extracted, extract
from fedcloud_agent.accounting.record import Frame
from fedcloud_agent.accounting.settings import BACKFILL, AccountingSettings, FirstRun
from fedcloud_agent.accounting.tables import record
from fedcloud_agent.clouds.contract import Listing, Past, UsageFacet, VirtualMachine, Window
from fedcloud_agent.clouds.loading import open_cloud
from fedcloud_agent.outbox.settings import DirectoryDestination
from fedcloud_agent.recording.instants import read
from fedcloud_agent.store.opening import open_store
from tests.federation.replay.controller import Replay

_CENTURIES = 500 * 365 * 86400
FRAME = Frame("REPLAYED-SITE", "cloud.example.org", "fedcloud-agent/replay (Replay)", "0.4", "bare", True, None, None)


class AsRecorded(UsageFacet):
    """A cloud that is asked for what it was asked when it was recorded; keeps the machines that it told."""

    def __init__(self, source: UsageFacet, since: Optional[int]) -> None:
        self.source, self.since = source, since

    def usage(self, window: Callable[[str], Window], past: Past) -> Iterator[Listing]:
        """Read everything since the instant of the recording."""
        return self.source.usage(lambda scope: Window(True, self.since), past)

    def machine(self, uuid: str, past: Past) -> Optional[VirtualMachine]:
        """Ask the recording."""
        return self.source.machine(uuid, past)


@dataclass
class Accounted:
    """What accounting made of a recording: the extraction, and the records' keys and values."""

    extracted: Extracted
    records: List[Dict[str, object]]
    missed: List[str]


def account(recording: Path, directory: Path) -> Accounted:
    """Replay a recording to a fresh ledger in ``directory``, and make the records that follow from it."""
    outgoing = directory / "outgoing"
    outgoing.mkdir(parents=True)
    settings = AccountingSettings(
        first_run=FirstRun(BACKFILL),
        # the recording has its own time
        clock_tolerance=_CENTURIES,
        destinations={"central": DirectoryDestination(path=outgoing)},
    )
    with Replay(directory / "replay", recording) as replay:
        cloud = open_cloud(replay.manifest["type"], "replayed", replay.settings())
        store = open_store(directory / "state")
        try:
            assert isinstance(cloud, UsageFacet)
            made = read(replay.manifest["made"])
            source = AsRecorded(cloud, replay.since)
            extracted = extract(store, "replayed", source, FRAME, settings, lambda: made)
            with store.read() as connection:
                records = [dict(row._mapping) for row in connection.execute(select(record))]
            return Accounted(extracted, records, replay.missed())
        finally:
            store.close()
            cloud.close()
