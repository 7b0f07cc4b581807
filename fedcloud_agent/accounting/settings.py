"""What a site can say about its accounting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.outbox.settings import DESTINATIONS
from fedcloud_agent.settings import (
    Boolean,
    Choice,
    Date,
    Duration,
    Integer,
    Kind,
    Schedule,
    Size,
    When,
    sections,
    setting,
)

CONTINUE = "continue"
BACKFILL = "backfill"
BASELINE = "baseline"


@dataclass(frozen=True)
class FirstRun:
    """How the first records of machines that are older than this agent are made. ``date`` is set for BASELINE only."""

    policy: str
    date: Optional[int] = None


class FirstRunKind(Kind[FirstRun]):
    """``continue``, ``backfill``, or a mapping ``{baseline: DATE}``."""

    expects = "continue, backfill, or {baseline: YYYY-MM-DD}"

    def parse(self, value: object) -> FirstRun:
        """Take one of the three spellings."""
        if value in (CONTINUE, BACKFILL):
            return FirstRun(str(value))
        if isinstance(value, dict) and list(value) == [BASELINE]:
            return FirstRun(BASELINE, Date().parse(value[BASELINE]))
        raise ValueError

    def write(self, value: FirstRun) -> object:
        """Return the spelling."""
        return value.policy if value.date is None else {BASELINE: Date().write(value.date)}

    def schema(self) -> Dict[str, object]:
        """Describe the three spellings."""
        mapping = {
            "type": "object",
            "properties": {BASELINE: Date().schema()},
            "required": [BASELINE],
            "additionalProperties": False,
        }
        return {"anyOf": [{"enum": [CONTINUE, BACKFILL]}, mapping]}


class RecordVersion(Kind[str]):
    """The version in the header of a message; YAML makes a number of it unless it is quoted, and both are meant."""

    expects = "0.4 or 0.2"

    def parse(self, value: object) -> str:
        """Take 0.4 and 0.2, as a number or as a text."""
        if isinstance(value, (float, str)) and str(value) in ("0.4", "0.2"):
            return str(value)
        raise ValueError

    def schema(self) -> Dict[str, object]:
        """Describe both spellings."""
        return {"enum": ["0.4", "0.2", 0.4, 0.2]}


@dataclass(frozen=True)
class AccountingSettings:
    """Usage of virtual machines, sent as APEL cloud records to the accounting repository."""

    first_run: Optional[FirstRun] = setting(
        FirstRunKind(),
        help="How machines that started before this agent are first reported; nothing is sent until this is set, "
        "because a wrong choice cannot be taken back. 'continue': a former tool (cASO, osssm) reported them under the "
        "same VMUUIDs until now. 'backfill': nobody ever reported them, so every month since their start is closed. "
        "'{baseline: DATE}': a former tool reported them under other VMUUIDs until DATE; only what came after counts.",
        default=None,
        example="backfill",
    )
    schedule: When = setting(
        Schedule(), help="When usage is extracted. Use a crontab line for fixed times.", default=When(every=HOUR)
    )
    send_schedule: When = setting(
        Schedule(), help="When waiting messages are sent besides after each extraction.", default=When(every=600)
    )
    deadline: int = setting(
        Duration(60, 2 * DAY), help="A run that takes longer is ended; nothing it wrote is lost.", default=3 * HOUR
    )
    resend: int = setting(
        Duration(HOUR, DAY),
        help="How often a live machine is reported anew. EGI asks for once a day at least and recommends 4h.",
        default=4 * HOUR,
    )
    full_listing: int = setting(
        Duration(HOUR, 7 * DAY),
        help="How often the whole cloud is listed instead of what changed, to find machines that vanished.",
        default=DAY,
    )
    record_version: str = setting(
        RecordVersion(),
        help="The version of cloud records. 0.2 for repositories that refuse RecordCreateTime (before APEL 1.7.0).",
        default="0.4",
    )
    cpu_duration: str = setting(
        Choice("allocated", "measured", "wall"),
        help="What CpuDuration holds: wall time times CpuCount; what the cloud measured, where it does; or wall time.",
        default="allocated",
    )
    cpu_count: str = setting(
        Choice("last", "weighted"),
        help="CpuCount of a machine that was resized within a month: that of the month's last record, or the mean by "
        "time (decimals need a repository of APEL 2.4.0 or later).",
        default="last",
    )
    fqan_style: str = setting(
        Choice("bare", "voms"),
        help="How FQAN names the VO: 'vo.example.org' as cASO does, or '/vo.example.org/Role=NULL/Capability=NULL' as "
        "oneacct-export does. A change splits the site's history.",
        default="bare",
    )
    publish_users: bool = setting(
        Boolean(), help="Send GlobalUserName; false sends 'withheld' instead, for every user.", default=True
    )
    records_per_message: int = setting(Integer(1, 1000), help="Records in one message at most.", default=500)
    message_size: int = setting(
        Size(10_000, 5_000_000),
        help="Size of one signed message at most; AMS refuses those over 1 MB.",
        default=600_000,
    )
    clock_tolerance: int = setting(
        Duration(5, 600),
        help="No record is made while our clock and the cloud's differ by more: a month once published stays.",
        default=60,
    )
    keep_machines: int = setting(
        Duration(62 * DAY, 10 * 365 * DAY),
        help="How long a machine is kept after its end. Then its name, user, group, image and records are let go; the "
        "sums of its months stay for ever, and a digest of its VMUUID, so that it is never counted again.",
        default=548 * DAY,
    )
    destinations: Mapping[str, Any] = sections(
        variants=lambda: DESTINATIONS,
        help="Where records go. Each destination gets every record and has its own queue.",
        example="central",
    )
