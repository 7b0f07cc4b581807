"""What of a cloud's answers may be shown to strangers: a plugin declares it, all else is replaced in a recording.

Rules go by the name under which a value stands: the key of a JSON object, the element of an XML document, the name of a
query parameter or header. A rule keeps a value only if the value also looks as it should; below ``closed`` names, where
users write what they like, none holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet

NONE: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Harmless:
    """What may stay as it is. ``words`` need no name: they are public wherever they stand as a whole value."""

    words: FrozenSet[str]
    """Keys, elements, states and other words that the cloud's software has at every site."""
    numbers: FrozenSet[str] = NONE
    """Sizes, counts, versions, and ids that are counted up."""
    instants: FrozenSet[str] = NONE
    """Times: ISO 8601, as in HTTP headers, or seconds since the epoch."""
    states: FrozenSet[str] = NONE
    """Single words that the software chooses, known or of a release to come."""
    places: FrozenSet[str] = NONE
    """Addresses and paths: their parts are looked at one by one."""
    prose: FrozenSet[str] = NONE
    """Messages for people: of these only common words stay."""
    secrets: FrozenSet[str] = NONE
    """What proves who we are, as ``name`` or ``parent.name``: nothing of it stays, not even its length."""
    closed: FrozenSet[str] = NONE
    session: bool = False
    """Whether the first text of each request is ``user:secret``, as clouds that speak XML-RPC have it."""
