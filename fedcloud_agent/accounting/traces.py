"""The first choice, and what on this machine speaks for one answer: traces of the tools that were here before us."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

from fedcloud_agent.errors import ConfigurationError

_TRACES: Tuple[Tuple[str, str], ...] = (
    ("etc/caso/caso.conf", "cASO is configured here"),
    ("var/spool/caso", "cASO has run here"),
    ("etc/osssmrc", "osssm is configured here"),
    ("etc/oneacct-export/conf.yml", "oneacct-export is configured here"),
    ("etc/goat-client/goat-client.yml", "goat is configured here"),
    ("etc/apel/sender.cfg", "ssmsend is configured here"),
    ("var/spool/apel/outgoing", "ssmsend has a spool here"),
)


def traces(root: Path = Path("/")) -> List[str]:
    """Return what of former accounting tools is on this machine, in words, each with its path."""
    return [f"{what} ({root / path})" for path, what in _TRACES if (root / path).exists()]


def first_run_is_open(cloud: str, root: Path = Path("/")) -> ConfigurationError:
    """Return the error that asks for accounting.first_run, with the choices and what speaks for one of them."""
    found = traces(root)
    seen = (
        "On this machine: " + "; ".join(found) + "."
        if found
        else "No trace of a former accounting tool was found on this machine."
    )
    return ConfigurationError(
        f"nothing of cloud {cloud} is sent before accounting.first_run is set, since what is once published cannot "
        "be taken back",
        hint=(
            f"{seen}\n"
            "  Set it in agent.yaml to one of:\n"
            "    continue            a former tool reported these machines under the same ids (cASO, osssm) until now\n"
            "    backfill            nobody ever reported them: every month since their start is reported\n"
            "    {baseline: DATE}    a former tool reported them under other ids until DATE\n"
            "  and stop the former tool's cron job before the first send."
        ),
    )
