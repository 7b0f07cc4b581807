"""A simulated ARGO Messaging Service with the authentication service beside it, as one server of its own.

The answers have the form of the real ones; what is published stays on disk, so that the service can be stopped and
started again with what it held.
"""

from __future__ import annotations

from tests.federation.ams.controller import AmsSimulator, Seen

__all__ = ["AmsSimulator", "Seen"]
