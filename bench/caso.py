"""An hourly run beside caso, the accounting that most sites run today, on the same cloud and in the same hours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

from bench import child
from bench.cloud import PER_SERVER, Cloud
from bench.figure import Figure, not_measured, ratio
from bench.session import Session

NAME = "caso"
RELEASE = "5.2.2"
TIME_TARGET, CALLS_TARGET = 0.5, 0.1
_CACHE = Path(__file__).parent / ".cache" / f"caso-{RELEASE}"
_HOUR = 3600
_CLOCK = {
    "LD_PRELOAD": str(next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))),
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "DONT_FAKE_MONOTONIC": "1",
    "NO_FAKE_STAT": "1",
    "TZ": "UTC",
}


class NotInstalledError(Exception):
    """It cannot be had here."""


def install() -> Path:
    """Return the command, in an environment of its own that is kept. Raises NotInstalledError."""
    command = _CACHE / "bin" / "caso-extract"
    if not command.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(_CACHE)], check=True, timeout=120)
            subprocess.run(
                [_CACHE / "bin" / "python", "-m", "pip", "install", "-q", f"caso=={RELEASE}"],
                check=True,
                timeout=600,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NotInstalledError(f"caso {RELEASE} cannot be installed: {error}") from error
    return command


def measure(session: Session) -> Iterator[Figure]:
    servers = session.size(1000, 600)
    time_name, calls_name = f"{NAME}-time", f"{NAME}-calls"
    try:
        command = install()
    except NotInstalledError as error:
        yield not_measured(time_name, "s", TIME_TARGET, str(error))
        yield not_measured(calls_name, "calls", CALLS_TARGET, str(error))
        return
    with Cloud(session.room(NAME), servers, settings="first_run: backfill\nresend: 1h") as cloud:
        hours = Hours(cloud, configure(cloud, command))
        hours.first()
        for _ in range(session.turns):
            hours.one()
    how = (
        f"An hourly run ('accounting extract'; caso-extract {RELEASE} with the extractor nova, which has no state but "
        f"its last run), each reporting all of {servers} live servers, 1 % of which were touched within the hour; the "
        f"cloud takes {PER_SERVER * 1000:g} ms for each server that it shows and no time for the call itself;"
    )
    yield ratio(time_name, hours.seconds, "s", TIME_TARGET, f"{how} whole processes, at most the target.")
    yield ratio(calls_name, hours.calls, "calls", CALLS_TARGET, f"{how} calls as the cloud counts them, at most.")


def configure(cloud: Cloud, command: Path) -> List[str]:
    """Write caso's configuration, for the same account and project, and return its command line."""
    directory = cloud.directory / "caso"
    directory.mkdir()
    project = cloud.box.cloud.truth(cloud.ids[:1])[cloud.ids[0]].project_id
    file = directory / "caso.conf"
    file.write_text(
        textwrap.dedent(
            f"""
            [DEFAULT]
            site_name = EXAMPLE-SITE
            service_name = cloud.example.org
            projects = {project}
            extractor = nova
            messengers = ssm
            vo_property = VO
            mapping_file = {directory}/none
            spooldir = {directory}
            [keystone_auth]
            auth_type = password
            auth_url = {cloud.box.cloud.auth_url}
            username = accounting
            password = accounting-secret
            user_domain_id = default
            project_domain_id = default
            [ssm]
            output_path = {directory}/outgoing
            """
        )
    )
    return [str(command), "--config-file", str(file)]


class Hours:
    """The hours that pass for the cloud, the agent and caso alike: their clocks are some hours ahead of ours."""

    def __init__(self, cloud: Cloud, caso: List[str]) -> None:
        self.cloud, self.caso = cloud, caso
        self.seconds: List[Dict[str, float]] = []
        self.calls: List[Dict[str, float]] = []

    def first(self) -> None:
        """Let both report everything once, unmeasured."""
        self.cloud.box.cloud.token_lifetime(86400)
        self.cloud.extract()
        self._caso({})
        self.cloud.latency(PER_SERVER)

    def one(self) -> None:
        """Let an hour pass, then measure ours and caso's run."""
        turn = len(self.seconds)
        ahead = (turn + 1) * _HOUR
        clock = {**_CLOCK, "FAKETIME": f"+{ahead}s"}
        came, changed = self.cloud.an_hour(turn, int(time.time()) + ahead)
        ours, ours_calls = self._counted(lambda: self._ours(clock, came, changed))
        # time went on while ours ran, and the cloud's stands still
        self.cloud.box.cloud.set_clock(int(time.time()) + ahead)
        peer, peer_calls = self._counted(lambda: self._caso(clock))
        self.seconds.append({"ours": ours, "peer": peer})
        self.calls.append({"ours": ours_calls, "peer": peer_calls})

    def _counted(self, run: Callable[[], float]) -> Tuple[float, int]:
        site = self.cloud.box.cloud
        site.reset_calls()
        return run(), sum(site.calls().values())

    def _ours(self, clock: Dict[str, str], came: int, changed: int) -> float:
        cost = child.run(self.cloud.command, {**self.cloud.environment, **clock})
        self._check(f"{came} new machines, {changed} changed, " in cost.output, cost.output)
        made = re.search(r"(\d+) records? made", cost.output)
        self._check(made is not None and int(made.group(1)) >= self.cloud.size, cost.output)
        return cost.wall

    def _caso(self, clock: Dict[str, str]) -> float:
        outgoing = self.cloud.directory / "caso" / "outgoing"
        shutil.rmtree(outgoing, ignore_errors=True)
        cost = child.run(self.caso, {**os.environ, **clock})
        reported = sum(path.read_text().count("VMUUID: ") for path in outgoing.glob("*/*"))
        # what changed and what is in use; its list of what is in use ends after 1000 servers
        self._check(reported >= 0.98 * self.cloud.size, f"{reported} reported\n{cost.output}")
        return cost.wall

    def _check(self, good: bool, said: str) -> None:
        if not good:
            raise RuntimeError(f"that was not the hour that was made:\n{said[-3000:]}")
