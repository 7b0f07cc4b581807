"""Every error that a person can meet, with its exit code and what to do next.

Exit codes follow sysexits.h, so that cron, systemd and monitoring can tell them apart; 1 is left for faults of our own.
An error of these classes is shown as its message and hint; anything else that escapes is a bug and shows a traceback.
"""

from __future__ import annotations

from typing import Optional


class AgentError(Exception):
    """Base of all that can go wrong without being a bug.

    ``message`` says what is wrong, naming the file, host or value; ``hint`` says what to do next.
    """

    exit_code = 70
    reported = False
    """Whether a person was told of it already, so that the command line only has to exit."""

    def __init__(self, message: str, *, hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(AgentError):
    """The command line asks for something that does not exist or cannot be combined (EX 2, as click)."""

    exit_code = 2


class RemoteDataError(AgentError):
    """A peer answered, but what it said cannot be used: truncated, of another kind, contradictory (EX_DATAERR)."""

    exit_code = 65


class UnreachableError(AgentError):
    """A peer did not answer in time, or answered that it is out of service (EX_UNAVAILABLE)."""

    exit_code = 69


class CannotCreateError(AgentError):
    """A file or directory that we need cannot be made (EX_CANTCREAT)."""

    exit_code = 73


class StorageError(AgentError):
    """Reading or writing our own state failed: disk full, database damaged (EX_IOERR)."""

    exit_code = 74


class TryAgainError(AgentError):
    """Nothing is wrong that time does not heal: locked by another run, clocks apart, back-off (EX_TEMPFAIL)."""

    exit_code = 75


class RefusedError(AgentError):
    """A peer or the system knows us and says no: credential, certificate, rights (EX_NOPERM)."""

    exit_code = 77


class ConfigurationError(AgentError):
    """The configuration cannot be used as it stands (EX_CONFIG)."""

    exit_code = 78
