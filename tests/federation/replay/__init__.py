"""A cloud that answers as it did in a recording."""

from __future__ import annotations

from tests.federation.replay.controller import Replay

__all__ = ["Replay"]
