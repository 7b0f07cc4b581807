"""The tools that reported before us, as sites ran them: each asks a simulated cloud and writes its own kind of records.

They are as exact, and as wrong, as the tools themselves: what they take for an end, which time they count, under which
name a machine goes. ``run(now)`` does what their cron job does and returns the messages for the repository.
"""

from __future__ import annotations

from tests.federation.former.caso import Caso
from tests.federation.former.goat import Goat
from tests.federation.former.oneacct import Oneacct

__all__ = ["Caso", "Goat", "Oneacct"]
