"""The central repository: what was delivered, what was loaded, and what the portal would show of it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from tests.federation.central import summariser
from tests.federation.central.loader import CloudRecord, RejectedError, parse, to_row
from tests.federation.central.schema import REPLACE_RECORD, SCHEMA
from tests.federation.central.summariser import Usage

ACCEPTED = "accepted"
REJECTED = "rejected"
PING = "ping"
LOST = "lost"

_NAMED = (
    ("site", "site"),
    ("service", "service"),
    ("user", "dn"),
    ("vo", "vo"),
    ("vo_group", "group"),
    ("vo_role", "role"),
    ("publisher", "dn"),
)
"""Fields of a record that are kept in the spelling first seen, and the table of names that each belongs to."""


def _folded(name: str) -> str:
    # SQLite's NOCASE folds the letters of ASCII and no others
    return name.lower() if name.isascii() else name.encode().lower().decode()


class Loaded(NamedTuple):
    """What became of a message: all of its records are in, or none."""

    accepted: bool
    records: int
    reason: Optional[str] = None


@dataclass(frozen=True)
class CloudSummary:
    """One row of CloudSummaries, as the portal gets it. Instants and durations in seconds, network in GB."""

    update_time: int
    site: str
    service: str
    month: int
    year: int
    user: str
    vo: str
    vo_group: str
    vo_role: str
    status: str
    cloud_type: str
    image: str
    earliest_start: Optional[int]
    latest_start: Optional[int]
    wall: Optional[int]
    cpu: Optional[int]
    cpu_count: float
    network_in: Optional[int]
    network_out: Optional[int]
    memory: Optional[int]
    disk: Optional[int]
    benchmark_type: str
    benchmark: float
    vms: int


@dataclass(frozen=True)
class Delivery:
    """One message as the broker handed it over; a message that is delivered twice is here twice."""

    empa_id: str
    received: float
    outcome: str
    """ACCEPTED, REJECTED, PING, or LOST: it killed the receiver's connection."""
    reason: Optional[str]
    signer: Optional[str]
    wire_sha256: str
    """Of the signed text."""
    body_sha256: Optional[str]
    """Of the body, once its signature was found good."""
    records: int


class Repository:
    """The repository in a file, or in memory; one process loads, any number may look."""

    def __init__(self, path: Union[str, Path] = ":memory:") -> None:
        self._connection = sqlite3.connect(str(path), timeout=30, isolation_level=None, check_same_thread=False)
        if str(path) != ":memory:":
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)
        self._spelling: Dict[Tuple[str, str], str] = {}
        self._read_names()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, body: str, publisher: str = "None") -> Loaded:
        """Load a message as one transaction; ``publisher`` is the DN of its signer."""
        try:
            rows = [to_row(values, publisher) for values in parse(body)]
        except RejectedError as error:
            return Loaded(False, 0, str(error))
        if rows:
            with self._transaction():
                self._connection.executemany(REPLACE_RECORD, [self._spelled(row) for row in rows])
        return Loaded(True, len(rows))

    def summarise(
        self, now: int, *, delete_stale_summaries: bool = True, stale_summary_window_days: int = 2
    ) -> List[CloudSummary]:
        """Run the summariser as if it were ``now`` and return all summaries that there are afterwards."""
        with self._transaction():
            summariser.summarise(
                self._connection,
                now,
                delete_stale_summaries=delete_stale_summaries,
                stale_summary_window_days=stale_summary_window_days,
            )
        return self.summaries()

    def usage(self) -> Dict[Tuple[str, int, int], Usage]:
        """Return what each virtual machine used, by (VMUUID, year, month), each a sum of its own."""
        return summariser.usage(self._connection)

    def records(self) -> List[CloudRecord]:
        """Return the machine-months, by machine and time."""
        order = "VMUUID, MeasurementYear, MeasurementMonth"
        return [CloudRecord(*row) for row in self._connection.execute(f"SELECT * FROM CloudRecords ORDER BY {order}")]

    def summaries(self, year: Optional[int] = None, month: Optional[int] = None) -> List[CloudSummary]:
        """Return the summaries, of one year or month if so asked."""
        rows = self._connection.execute(
            "SELECT * FROM CloudSummaries WHERE Year = IFNULL(?, Year) AND Month = IFNULL(?, Month)"
            " ORDER BY Year, Month, SiteName, VO, GlobalUserName, Status, ImageId, CpuCount",
            (year, month),
        )
        return [CloudSummary(*row) for row in rows]

    def note(self, delivery: Delivery) -> None:
        """Write a delivery down."""
        self._connection.execute(
            "INSERT INTO Messages (EmpaId, Received, Outcome, Reason, Signer, WireSha256, BodySha256, Records)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(delivery.empa_id, delivery.received, delivery.outcome, delivery.reason, delivery.signer),
                *(delivery.wire_sha256, delivery.body_sha256, delivery.records),
            ),
        )

    def messages(self, outcome: Optional[str] = None) -> List[Delivery]:
        """Return the deliveries in the order of arrival, of one outcome if so asked."""
        rows = self._connection.execute(
            "SELECT EmpaId, Received, Outcome, Reason, Signer, WireSha256, BodySha256, Records FROM Messages"
            " WHERE Outcome = IFNULL(?, Outcome) ORDER BY Number",
            (outcome,),
        )
        return [Delivery(*row) for row in rows]

    def rejects(self) -> List[Delivery]:
        """Return the deliveries that were refused."""
        return self.messages(REJECTED)

    def two_faced(self) -> List[str]:
        """Return the identities under which more than one content arrived: an exact sender has none."""
        rows = self._connection.execute(
            "SELECT EmpaId FROM Messages WHERE Outcome <> 'ping'"
            " GROUP BY EmpaId HAVING COUNT(DISTINCT IFNULL(BodySha256, WireSha256)) > 1 ORDER BY EmpaId"
        )
        return [row[0] for row in rows]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            self._read_names()
            raise
        self._connection.execute("COMMIT")

    def _spelled(self, row: CloudRecord) -> CloudRecord:
        changed: Dict[str, Any] = {}
        for field, kind in _NAMED:
            written = getattr(row, field)
            known = self._known(kind, written)
            if known != written:
                changed[field] = known
        self._known("image", row.image)
        return row._replace(**changed) if changed else row

    def _read_names(self) -> None:
        names = self._connection.execute("SELECT Kind, Name FROM Names")
        self._spelling = {(kind, _folded(name)): name for kind, name in names}

    def _known(self, kind: str, name: str) -> str:
        key = (kind, _folded(name))
        known = self._spelling.get(key)
        if known is None:
            self._connection.execute("INSERT INTO Names VALUES (?, ?)", (kind, name))
            self._spelling[key] = known = name
        return known
