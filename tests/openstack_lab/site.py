"""A site that accounts the lab's cloud: its configuration, the real command, and the records that it made."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Set

import yaml

from tests.openstack_lab.layout import Layout

SITE = "LAB-SITE"
DAY = 86400
Records = Dict[str, List[Dict[str, str]]]
"""Records by VMUUID, in the order in which they were made."""


@dataclass(frozen=True)
class Run:
    """One command that came to its end."""

    code: int
    report: Dict[str, Any]
    said: str
    records: Records
    began: float
    ended: float


class Site:
    """One installation of the agent, with a state and a spool of its own."""

    def __init__(self, directory: Path, layout: Layout, auth: Mapping[str, Any], **cloud: Any) -> None:
        self.directory = directory
        self.spool = directory / "outgoing"
        self.spool.mkdir(parents=True)
        self.secret = directory / "secret"
        self._read: Set[Path] = set()
        self.set_password(layout.password)
        login = {"auth_url": layout.identity, "password_file": str(self.secret), **auth}
        configuration = {
            "site": SITE,
            "directories": {name: str(directory / name) for name in ("state", "spool", "runtime")},
            "clouds": {"main": {"type": "openstack", "auth": login, **cloud}},
            "accounting": {
                "first_run": "backfill",
                "destinations": {"files": {"type": "directory", "layout": "directory", "path": str(self.spool)}},
            },
            "infosys": {"contact": "cloud-support@example.org", "host": "bdii.example.org"},
        }
        (directory / "agent.yaml").write_text(yaml.safe_dump(configuration))

    def set_password(self, password: str) -> None:
        self.secret.write_text(password + "\n")
        self.secret.chmod(0o600)

    def run(self, *words: str) -> Run:
        """Run ``fedcloud-agent`` as the daemon does; by default ``accounting run``."""
        began = time.time()
        done = self.command(*(words or ("accounting", "run")), "--json")
        report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        return Run(done.returncode, report, done.stderr, self._new_records(), began, time.time())

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``fedcloud-agent`` with these words and nothing else."""
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        return subprocess.run(
            [sys.executable, "-m", "fedcloud_agent", "--config", str(self.directory), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**clean, "PYTHONWARNINGS": "ignore"},
            timeout=120,
        )

    def _new_records(self) -> Records:
        """Return what was written to the spool since the last look."""
        records: Records = {}
        for file in sorted(path for path in self.spool.iterdir() if path.is_file()):
            if file in self._read:
                continue
            self._read.add(file)
            header, _, body = file.read_text("ascii").partition("\n")
            assert header == "APEL-cloud-message: v0.4"
            for block in body.split("%%\n"):
                if block:
                    record = dict(line.split(": ", 1) for line in block.splitlines())
                    records.setdefault(record["VMUUID"], []).append(record)
        return records

    def let_a_day_pass(self) -> None:
        """Date what the ledger knows a day back, as if the last run had been yesterday."""
        database = sqlite3.connect(self.directory / "state" / "agent.db")
        with database:
            database.execute("UPDATE scope SET as_of = as_of - ?, full_as_of = full_as_of - ?", (DAY, DAY))
            database.execute("UPDATE vm SET missed_since = missed_since - ? WHERE missed_since IS NOT NULL", (DAY,))
        database.close()


def run_all(sites: Mapping[str, Site]) -> Dict[str, Run]:
    """Run each site's command, two at a time, and insist that all end well."""
    with ThreadPoolExecutor(2) as pool:
        runs = dict(zip(sites, pool.map(lambda site: site.run(), sites.values())))
    for name, run in runs.items():
        assert run.code == 0, f"{name}: {run.said}"
    return runs
