"""What a site says of its users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Tuple

from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.settings import (
    Boolean,
    Choice,
    Duration,
    Integer,
    ListOf,
    Number,
    Schedule,
    Size,
    Text,
    When,
    sections,
    setting,
)
from fedcloud_agent.users.policy import DELETE, KEEP, SUSPEND, Policy

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class FacilitySettings:
    """A facility of this site, as Perun calls it."""

    cloud: Optional[str] = setting(
        Text("the name of a cloud"),
        help="The cloud in which its users get accounts. Default: the only one that is configured.",
        default=None,
        example="main",
    )


@dataclass(frozen=True)
class QuotaSettings:
    """What an account of a VO may use; a limit that is not set is the cloud's own."""

    machines: Optional[int] = setting(Integer(0, 10**6), help="Virtual machines.", default=None)
    cpu: Optional[float] = setting(Number(0, 10**6), help="Processors.", default=None)
    memory: Optional[int] = setting(Size(), help="Memory.", default=None)

    def limits(self) -> Tuple[Tuple[str, float], ...]:
        """Return the limits by name, in the order of the names; memory in MB."""
        memory = self.memory / _MEGABYTE if self.memory is not None else None
        found: Dict[str, Optional[float]] = {"cpu": self.cpu, "machines": self.machines, "memory": memory}
        return tuple((name, float(value)) for name, value in found.items() if value is not None)


@dataclass(frozen=True)
class UsersSettings:
    """Accounts of people, as Perun lists them. See 'fedcloud-agent users plan' before anything is done."""

    facilities: Mapping[str, FacilitySettings] = sections(
        FacilitySettings,
        help="The facilities whose lists are taken. Without any, those that Perun sends to one of 'hosts'.",
        example="cloud.example.org",
    )
    hosts: Tuple[str, ...] = setting(
        ListOf(Text("a host name")),
        help="The destinations under which Perun pushes to this host. Default: its full name.",
        default=(),
        example=["cloud.example.org"],
    )
    denied_services: Tuple[str, ...] = setting(
        ListOf(Text("the name of a service of Perun")),
        help="Services whose pushes are told to be disabled here; Perun takes that for done.",
        default=(),
    )
    perun: str = setting(
        Text("a name of letters, digits, dots and dashes", pattern=r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}"),
        help="A name for the instance of Perun; it is in the mark of each new account.",
        default="perun",
    )
    on_expired: str = setting(
        Choice(SUSPEND, KEEP),
        help="What becomes of the account of an expired membership. Who is banned is suspended always.",
        default=SUSPEND,
    )
    on_missing: str = setting(
        Choice(SUSPEND, DELETE),
        help="What becomes of the account of who is not listed any more: it is suspended, and with 'delete' deleted "
        "after the grace, once two lists that are a day apart lacked this person then.",
        default=SUSPEND,
    )
    grace: int = setting(
        Duration(DAY, 3650 * DAY), help="How long a suspended account is kept before it is deleted.", default=30 * DAY
    )
    quotas: Mapping[str, QuotaSettings] = sections(
        QuotaSettings, help="The quota of new accounts, by VO.", example="vo.example.org"
    )
    enforce_quota: bool = setting(
        Boolean(), help="Put a quota back that was changed by hand, instead of setting it once.", default=False
    )
    schedule: When = setting(
        Schedule(),
        help="When the newest lists are applied besides after each push: it makes up for a push that was cut off, and "
        "restores what was changed by hand.",
        default=When(every=HOUR),
    )
    deadline: int = setting(Duration(60, DAY), help="A run that takes longer is ended.", default=1800)

    def policy(self) -> Policy:
        """Return the rules for plans."""
        return Policy(
            perun=self.perun,
            on_expired=self.on_expired,
            on_missing=self.on_missing,
            grace=self.grace,
            quotas={vo: quota.limits() for vo, quota in self.quotas.items() if quota.limits()},
            enforce_quota=self.enforce_quota,
        )
