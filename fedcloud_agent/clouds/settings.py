"""What every cloud's section has; a plugin's table inherits from this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Tuple

from fedcloud_agent.settings import Number, Text, setting


@dataclass(frozen=True)
class CloudSettings:
    """A cloud of this site: how to reach it, and which projects serve which VO."""

    service: Optional[str] = setting(
        Text(),
        help="The CloudComputeService in usage records: the host name of this cloud's endpoint. Default: the host of "
        "the login URL. Once records were sent it should stay, since it is a key of every monthly sum.",
        default=None,
        example="cloud.example.org",
    )
    benchmark_type: Optional[str] = setting(
        Text("HEPscore23 or HEPSPEC06, at most 50 characters", pattern=r"[\x21-\x7e]{1,50}"),
        help="The benchmark of this cloud's cores, where neither flavor nor host tells it. Needs 'benchmark'.",
        default=None,
        example="HEPscore23",
    )
    benchmark: Optional[float] = setting(
        Number(0.001, 999999, unit="per core"),
        help="The benchmark's value for one core. Needs 'benchmark_type'.",
        default=None,
        example=15.3,
    )

    def faults(self) -> Iterator[Tuple[str, str]]:
        """Refuse one half of the benchmark."""
        if self.benchmark is not None and self.benchmark_type is None:
            yield "benchmark", "a benchmark needs 'benchmark_type' beside it"
        if self.benchmark_type is not None and self.benchmark is None:
            yield "benchmark_type", "the type of a benchmark needs its value, 'benchmark', beside it"
