"""What a site says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fedcloud_agent.settings import Text, setting


@dataclass(frozen=True)
class SiteSettings:
    """Who we are. The name alone may be written as 'site: NAME'."""

    __shorthand__: ClassVar[str] = "name"

    name: str = setting(
        Text("the site's name as in GOCDB", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"),
        help="The name of the site as it is registered in GOCDB, in the same upper and lower case.",
        example="EXAMPLE-SITE",
    )
