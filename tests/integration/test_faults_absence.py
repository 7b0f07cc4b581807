"""A cloud that suddenly shows nothing, well-formed: no machine is completed, and nothing is reported as used."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Dict

from fedcloud_agent.clock import DAY, HOUR
from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, failed, loaded, pass_time, recovers, shown

SERVERS = 1000


def ended(box: Box) -> int:
    with sqlite3.connect(f"file:{box.state}/agent.db?mode=ro", uri=True) as connection:
        return int(connection.execute("SELECT count(*) FROM vm WHERE status = 'completed'").fetchone()[0])


def wall(box: Box) -> Dict[str, int]:
    used: Dict[str, int] = {}
    with loaded(box) as repository:
        for (uuid, _), (seconds, _) in shown(repository).items():
            used[uuid] = used.get(uuid, 0) + seconds
    return used


def test_an_empty_answer_where_a_thousand_servers_were(tmp_path: Path) -> None:
    with Box(tmp_path, broker=False) as box:
        begin(box, servers=2)
        box.cloud.create_servers(
            [{"project": "vo-example", "user": "/DC=org/DC=example/CN=Jane Doe", "flavor": "small", "count": SERVERS}]
        )
        pass_time(box, HOUR)
        box.agent("accounting", "run")
        assert_truth(box)
        known, before = ended(box), wall(box)
        box.cloud.fault("empty_list", path="servers/detail", count=None)
        for day in range(1, 4):
            pass_time(box, DAY)
            done = box.agent("accounting", "run", check=False)
            failed(done, 65, f"{SERVERS + 1} machines of project", "vanished", "--accept-vanished")
            assert ended(box) == known, f"completed on day {day}"
        assert wall(box) == before, "usage was reported of machines that were not seen"
        status = json.loads(box.agent("status", "--json", check=False).stdout)
        assert "vanished" in json.dumps(status)
        box.cloud.clear_faults()
        recovers(box)
