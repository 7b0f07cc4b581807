"""``python -m bench.outgoing STATE MESSAGES RECORDS``: a ledger whose queue holds so many messages of so many records.

Made by the agent's own extraction and packing, from machines that no cloud was asked for.
"""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import Callable, Iterator, Optional

from fedcloud_agent.accounting.delivery import pack_all
from fedcloud_agent.accounting.extraction import extract
from fedcloud_agent.accounting.packing import Limits
from fedcloud_agent.accounting.record import Frame
from fedcloud_agent.accounting.settings import BACKFILL, AccountingSettings, FirstRun
from fedcloud_agent.clock import month_of, month_start, now
from fedcloud_agent.clouds.contract import STARTED, Listing, Page, Past, UsageFacet, VirtualMachine, Window
from fedcloud_agent.store.opening import in_use, open_store

DESTINATION = "central"
_PAGE = 500


class Population(UsageFacet):
    """So many machines that started this month."""

    def __init__(self, machines: int, instant: int) -> None:
        self.machines, self.instant = machines, instant
        self.start = max(month_start(month_of(instant)), instant - 86400)

    def usage(self, window: Callable[[str], Window], past: Past) -> Iterator[Listing]:
        """Yield the one listing."""
        numbers = range(0, self.machines, _PAGE)
        pages = (Page([self._one(n) for n in range(b, min(b + _PAGE, self.machines))]) for b in numbers)
        yield Listing("*", frozenset({"group"}), window("*"), self.instant, 0, pages)

    def machine(self, uuid: str, past: Past) -> Optional[VirtualMachine]:
        """Know no single machine: none goes missing."""
        raise LookupError(uuid)

    def _one(self, number: int) -> VirtualMachine:
        return VirtualMachine(
            uuid=str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
            name=f"worker-{number:06d}",
            status=STARTED,
            cloud_status="ACTIVE",
            user=uuid.uuid5(uuid.NAMESPACE_DNS, str(number % 50)).hex,
            group="group",
            global_user=f"/DC=org/DC=example/CN=User {number % 50}",
            vo="vo.example.org",
            start=self.start,
            end=None,
            changed=self.start,
            cpu_count=4,
            memory=8192,
            disk=80,
            image="https://appdb.example.org/store/vm/image/4711:1/",
            public_ips=1,
        )


def main(state: Path, messages: int, records: int) -> None:
    instant = int(time.time())
    frame = Frame("EXAMPLE-SITE", "cloud.example.org", "bench", "0.4", "bare", True, None, None)
    settings = AccountingSettings(first_run=FirstRun(BACKFILL), destinations={DESTINATION: None})
    with in_use(open_store(state), state) as store:
        made = extract(store, "main", Population(messages * records, instant), frame, settings, now)
        assert made.records == messages * records, made
        assert pack_all(store, DESTINATION, Limits("0.4", records, 5_000_000), now) == made.records


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
