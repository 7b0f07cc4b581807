"""Why a push was refused, in the exit codes that Perun's engine knows from every machine that it pushes to."""

from __future__ import annotations

from typing import Optional

from fedcloud_agent.errors import AgentError

DONE = 0
BAD_ARCHIVE = 2
DISK = 5
BUSY = 6
NOT_FOR_US = 9
GUARD_HELD = 60
MALFORMED = 61
CLOUD_UNREACHABLE = 62
SOME_FAILED = 63
NO_CLOUD = 64
UNKNOWN_PLATFORM = 100
WRONG_VERSION = 200
NO_VERSION = 201
UNKNOWN_SERVICE = 203
NO_DATA = 208


class PushError(AgentError):
    """What was pushed is not taken; ``exit_code`` is one of the numbers above. Nothing was stored or changed."""

    def __init__(self, exit_code: int, message: str, *, hint: Optional[str] = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class PayloadError(PushError):
    """The data file does not hold what its service writes. The message names lines and keys, never a person."""

    def __init__(self, message: str) -> None:
        super().__init__(MALFORMED, message)
