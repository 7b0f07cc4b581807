"""What a rule found, and how bad it is."""

from __future__ import annotations

from typing import NamedTuple

ERROR = "error"
WARNING = "warning"
INFO = "info"
_SEVERITIES = {"E": ERROR, "K": ERROR, "W": WARNING, "I": INFO}


def severity_of(rule: str) -> str:
    """Return ERROR, WARNING or INFO, as a rule's letter says."""
    return _SEVERITIES[rule[0]]


class Finding(NamedTuple):
    """One breach of one rule by one entry."""

    rule: str
    dn: str
    message: str

    @property
    def severity(self) -> str:
        """ERROR, WARNING or INFO, as the rule's letter says."""
        return severity_of(self.rule)
