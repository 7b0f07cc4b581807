"""What a site decided about accounts of those who leave or are late."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Tuple

from fedcloud_agent.clock import DAY

SUSPEND = "suspend"
KEEP = "keep"
DELETE = "delete"


@dataclass(frozen=True)
class Policy:
    """The site's own rules; the federation's are in the code."""

    perun: str = "perun"
    """The name of the instance of Perun, for the marks of new accounts."""
    on_expired: str = SUSPEND
    """SUSPEND or KEEP the account of an expired membership; who is banned is suspended always."""
    on_missing: str = SUSPEND
    """SUSPEND the account of who is not listed any more, or DELETE it after the grace."""
    grace: int = 30 * DAY
    quotas: Mapping[str, Tuple[Tuple[str, float], ...]] = field(default_factory=dict)
    """By VO."""
    enforce_quota: bool = False
    """Whether a quota that was changed by hand is put back; else it is set for new accounts only."""
