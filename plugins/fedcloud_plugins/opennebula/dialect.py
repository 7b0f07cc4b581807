"""What each release of OpenNebula can be asked, and how it answers. An unknown newer one is as the newest known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Tuple

from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.opennebula.row import Form

Version = Tuple[int, int, int]

OLDEST: Version = (3, 2, 0)


@dataclass(frozen=True)
class Dialect:
    """How to read machines from one release."""

    version: Version
    pool: str
    """The call that lists machines with as much as a list can tell, and :attr:`form` is what that is."""
    form: Form
    brief: str
    """The call that lists machines although one of them holds what cannot be told."""
    brief_form: Form
    infoset: bool
    """Whether machines can be asked for by their ids, many at once."""
    offsets: bool
    """Whether a list can be had by row numbers; before, such a question is answered as if nothing were there."""
    samples: bool
    """Whether the last monitoring sample of each machine is told apart from the machines, and only there."""

    @property
    def name(self) -> str:
        """The version for people."""
        return ".".join(map(str, self.version))


def version_of(text: str) -> Version:
    """Return the version that oned tells. Raises RemoteDataError when it is none."""
    match = re.match(r"\s*(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", text)
    if match is None:
        raise RemoteDataError(f"oned tells a version that is none: {text[:60]!r}")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def dialect_of(version: Version) -> Dialect:
    """Return how a release is read."""
    split = version >= (5, 8, 0)
    extended = version >= (5, 8, 1)
    return Dialect(
        version=version,
        pool="one.vmpool.infoextended" if extended else "one.vmpool.info",
        # 5.8.0 made its list short and had not yet another one
        form=Form.LAST if extended or not split else Form.SHORT,
        brief="one.vmpool.info",
        brief_form=Form.SHORT if split else Form.LAST,
        infoset=version >= (5, 12, 0),
        offsets=version >= (4, 6, 0),
        # some releases before have the call too, but answer it with every sample of the last hours
        samples=version >= (5, 12, 6),
    )
