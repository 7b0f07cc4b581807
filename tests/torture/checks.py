"""What must hold after any number of kills, once the agent could do its work in peace again."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Collection, Dict, List, Mapping, Optional, Set, Tuple

from fedcloud_agent.accounting.departures import digest
from fedcloud_agent.clock import month_name, month_of, month_start
from tests.federation.central.loader import CloudRecord, parse, to_row
from tests.federation.central.repository import ACCEPTED, Repository
from tests.federation.openstack.history import Life

Months = Dict[Tuple[str, str], Tuple[int, int]]
"""(wall, cpu) by machine and month."""

_EXPECTED = re.compile(
    r"agent\.db(-wal|-shm)?|agent\.copy\.db|store\.lock|daemon\.(json|lock)|accepted\.json"
    r"|locks/[a-z.-]+\.lock|outcomes/[a-z.-]+\.json"
)


def compare(
    state: Path, repository: Repository, lives: Mapping[str, Life], now: int, vague: Collection[str] = ()
) -> int:
    """Compare centre, ledger and truth at ``now``, when everything was extracted and sent; return the rows compared.

    ``vague``: machines of which the cloud does not tell when they were resized; of these the CPU time is let pass.
    """
    assert_settled(state)
    ledger, centre = ledger_of(state), {_key(row): row for row in repository.records()}
    gone = {str(row[0]) for row in _ask(state, "SELECT digest FROM departed")}
    kept = sorted(key for key in centre if digest(key[0]) not in gone)  # the others were let go, their sums stay
    assert kept == sorted(ledger), "the centre has other machine-months than the ledger"
    for key, row in ledger.items():
        assert centre[key]._replace(publisher="") == row, f"{key}: the centre has not the ledger's newest record"
    true = truth(lives.values(), now)
    shown = {
        (uuid, f"{year:04d}-{month:02d}"): (usage.wall, usage.cpu)
        for (uuid, year, month), usage in repository.usage().items()
    }
    wrong = {k: (shown.get(k), true.get(k)) for k in {*shown, *true} if shown.get(k, (0,))[0] != true.get(k, (0,))[0]}
    assert not wrong, f"wall time (shown, true) is not the truth: {wrong}"
    clear = [key for key in true if key[0] not in vague]
    assert {k: shown[k][1] for k in clear} == {k: true[k][1] for k in clear}, "CPU time is not the truth"
    assert not repository.two_faced(), "an identity came with two contents"
    assert not _two_named(repository), "a content came under two identities"
    assert not repository.rejects(), f"the centre refused: {repository.rejects()[0].reason}"
    return len(ledger)


def compare_sums(repository: Repository, lives: Mapping[str, Life], now: int) -> None:
    """Compare the sums that the centre's own runs left behind with the truth, month by month."""
    sums: Dict[str, Tuple[int, int]] = {}
    for row in repository.summaries():
        month = f"{row.year:04d}-{row.month:02d}"
        wall, machines = sums.get(month, (0, 0))
        sums[month] = (wall + (row.wall or 0), machines + row.vms)
    true: Dict[str, Tuple[int, int]] = {}
    for (_, month), (seconds, _) in truth(lives.values(), now).items():
        wall, machines = true.get(month, (0, 0))
        true[month] = (wall + seconds, machines + 1)
    assert sums == true, "a month's sum is not the truth"


def truth(lives: Collection[Life], now: int) -> Months:
    """Return what each machine really used in each month that it saw until ``now``."""
    months: Months = {}
    for life in lives:
        last = now if life.ended is None else min(life.ended, now)
        for month in range(month_of(life.created), month_of(last) + 1):
            begin, stop = max(month_start(month), life.created), min(month_start(month + 1), last)
            months[life.id, month_name(month)] = (life.seconds(begin, stop), life.cpu_seconds(begin, stop))
    return months


def ledger_of(state: Path) -> Dict[Tuple[str, str], CloudRecord]:
    """Return the newest record of each machine-month in the ledger, as the centre would load it."""
    rows = {}
    for uuid, month, content in _ask(state, "SELECT uuid, month, content FROM record JOIN vm ON vm.id = record.vm"):
        (values,) = parse(f"APEL-cloud-message: v0.4\n{content}")
        row = to_row(values, "")
        assert _key(row) == (uuid, month_name(month)), "the centre would date the record otherwise"
        rows[_key(row)] = row
    return rows


def assert_settled(state: Path) -> None:
    """Check that nothing waits, nothing flies and nothing was set aside."""
    left = "SELECT vm, month FROM record WHERE pending OR message IS NOT NULL OR rejected IS NOT NULL"
    assert not _ask(state, left), "records were left behind"
    assert not _ask(state, "SELECT id FROM message"), "messages were left behind"


def strays(state: Path) -> List[str]:
    """Return the files of a state directory that nobody knows."""
    names = sorted(str(path.relative_to(state)) for path in state.rglob("*") if not path.is_dir())
    return [name for name in names if not _EXPECTED.fullmatch(name)]


def _two_named(repository: Repository) -> List[str]:
    names: Dict[Optional[str], Set[str]] = {}
    for one in repository.messages(ACCEPTED):
        names.setdefault(one.body_sha256, set()).add(one.empa_id)
    return sorted(" ".join(sorted(some)) for some in names.values() if len(some) > 1)


def _key(row: CloudRecord) -> Tuple[str, str]:
    return row.vmuuid, f"{row.year:04d}-{row.month:02d}"


def _ask(state: Path, question: str) -> List[Tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(str(state / "agent.db"), timeout=30)) as connection:
        return connection.execute(question).fetchall()
