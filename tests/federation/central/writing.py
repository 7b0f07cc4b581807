"""Write cloud messages by hand, faults and all: no value is checked, no key is known."""

from __future__ import annotations

from typing import Mapping


def record(**values: object) -> Mapping[str, object]:
    """Return a record of one machine of one site, with ``values`` put in; a value of None takes the key out."""
    usual = {"VMUUID": "vm-1", "SiteName": "EXAMPLE-SITE", "Status": "started", "CpuCount": 1}
    return {key: value for key, value in {**usual, **values}.items() if value is not None}


def message(*records: Mapping[str, object], header: str = "APEL-cloud-message: v0.4") -> str:
    """Return the text of a message."""
    lines = [header]
    for each in records:
        lines += [f"{key}: {value}" for key, value in each.items()]
        lines.append("%%")
    return "\n".join(lines) + "\n"
