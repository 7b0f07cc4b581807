"""Sum up cloud records as the federation's central summariser does: months from cumulative counters.

What a virtual machine used in a month is its counter there minus its counter in the last month that has a row. Summary
rows stay between runs; a run writes those that it finds again and, of recent months alone, deletes those that it does
not: a row that changed its key in an older month is counted under both keys for ever.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Dict, NamedTuple, Optional, Tuple

_DAY = 86400


class Usage(NamedTuple):
    """What one virtual machine used within one month: seconds and GB. None: its row does not tell."""

    wall: Optional[int]
    cpu: Optional[int]
    network_in: Optional[int]
    network_out: Optional[int]


# A row of month 0 is nobody's predecessor, which is why such rows stand in a partition of their own. A counter that is
# null counts nothing now, and as 0 for the next month.
_DELTAS = """
    WallDuration - IFNULL(LAG(WallDuration) OVER life, 0) AS Wall,
    CpuDuration - IFNULL(LAG(CpuDuration) OVER life, 0) AS Cpu,
    NetworkInbound - IFNULL(LAG(NetworkInbound) OVER life, 0) AS NetIn,
    NetworkOutbound - IFNULL(LAG(NetworkOutbound) OVER life, 0) AS NetOut
FROM CloudRecords
WINDOW life AS (PARTITION BY VMUUID, MeasurementMonth = 0 ORDER BY MeasurementTime)
"""

_SUMMARISE = f"""
REPLACE INTO CloudSummaries
SELECT
    :now, SiteName, CloudComputeService, MeasurementMonth, MeasurementYear, GlobalUserName, VO, VOGroup, VORole, Status,
    CloudType,
    (SELECT Name FROM Names WHERE Kind = 'image' AND Name = ImageId),
    MIN(StartTime), MAX(StartTime), SUM(Wall), SUM(Cpu), CpuCount, SUM(NetIn), SUM(NetOut), SUM(Memory), SUM(Disk),
    BenchmarkType, Benchmark, COUNT(*)
FROM (
    SELECT SiteName, CloudComputeService, MeasurementMonth, MeasurementYear, GlobalUserName, VO, VOGroup, VORole,
        Status, CloudType, ImageId, StartTime, CpuCount, Memory, Disk, BenchmarkType, Benchmark, {_DELTAS}
)
GROUP BY SiteName, CloudComputeService, MeasurementMonth, MeasurementYear, GlobalUserName, VO, VOGroup, VORole, Status,
    ImageId, CpuCount, BenchmarkType, Benchmark
"""

# Month and year are compared apart, as the centre does: in the first days of January, whose limit is December, no stale
# row of January goes.
_DELETE_STALE = "DELETE FROM CloudSummaries WHERE Month >= ? AND Year >= ? AND UpdateTime < ?"


def usage(connection: sqlite3.Connection) -> Dict[Tuple[str, int, int], Usage]:
    """Return what each virtual machine used: by VMUUID, year and month."""
    rows = connection.execute(f"SELECT VMUUID, MeasurementYear, MeasurementMonth, {_DELTAS}")
    return {(row[0], row[1], row[2]): Usage(*row[3:]) for row in rows}


def summarise(
    connection: sqlite3.Connection, now: int, *, delete_stale_summaries: bool = True, stale_summary_window_days: int = 2
) -> None:
    """Write the summaries of a run that starts at ``now``, inside of the caller's transaction."""
    connection.execute(_SUMMARISE, {"now": now})
    if delete_stale_summaries:
        limit = time.gmtime(now - stale_summary_window_days * _DAY)
        connection.execute(_DELETE_STALE, (limit.tm_mon, limit.tm_year, now))
