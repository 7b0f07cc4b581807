"""The first choice, and what on this machine speaks for one answer: traces of the tools that were here before us."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

from fedcloud_agent.accounting.former import Former, formers
from fedcloud_agent.accounting.settings import CONTINUE
from fedcloud_agent.errors import ConfigurationError

ROOT = Path("/")

_TRACES: Tuple[Tuple[str, str], ...] = (
    ("var/spool/caso", "cASO has run here"),
    ("etc/osssmrc", "osssm is configured here"),
    ("etc/apel/sender.cfg", "ssmsend is configured here"),
    ("var/spool/apel/outgoing", "ssmsend has a spool here"),
)


def traces(root: Path = ROOT) -> List[str]:
    """Return what of former accounting tools is on this machine, in words, each with its path."""
    found = [f"{one.tool} is configured here ({one.path})" for one in formers(root)]
    return found + [f"{what} ({root / path})" for path, what in _TRACES if (root / path).exists()]


def first_run_is_open(cloud: str, root: Path = ROOT) -> ConfigurationError:
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
        hint="\n".join(
            [
                seen,
                "  Set it in agent.yaml to one of:",
                "    continue            a former tool reported these machines under the same ids until now (cASO, "
                "osssm,",
                "                        oneacct-export)",
                "    backfill            nobody ever reported them: every month since their start is reported",
                "    {baseline: DATE}    a former tool reported them under other ids until DATE (goat)",
                *(line for one in formers(root) for line in _history(one)),
                "  and stop the former tool's cron job before the first send.",
            ]
        ),
    )


def _history(former: Former) -> List[str]:
    """Return the lines that name what goes on with the history of a former tool."""
    choice = CONTINUE if former.first_run == CONTINUE else "{baseline: DATE}"
    lines = [f"  What goes on with the history of {former.tool}:", f"    accounting.first_run: {choice}"]
    lines += [f"    {key}: {value}" for key, value in former.settings.items()]
    return lines + [f"    ({remark})" for remark in former.remarks]
