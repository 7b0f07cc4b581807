"""What the agent says on standard error, or in the journal, and how.

ERROR: a person must act. WARNING: it may heal. INFO: one line per run. DEBUG: every step, without secrets.
Lines carry the loop, cloud, VO and run that they are about as fields of the journal; :func:`about` sets them.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import os
import re
import sys
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, TextIO

RUN_FINISHED = "1f0e1b5f6d0c4a6fb3b0f2a3c1a7d9e4"
RUN_FAILED = "8b7d3f0a54e94c7c9a1e6c25d0f4b862"
"""MESSAGE_ID of the journal for the end of a run: ``journalctl MESSAGE_ID=…`` finds them all."""

_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_about: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("about", default={})
_SECRETS = (
    (re.compile(r"(://[^\s/@:]*):[^\s/@]+@"), r"\1:***@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 ***"),
    (
        re.compile(
            r"(?i)\b((?:x-)?[a-z_-]*(?:password|passwd|secret|token)[\"']?\s*[=:]\s*[\"']?)(?![\s/])[^\s\"',;&]+"
        ),
        r"\1***",
    ),
)


@contextlib.contextmanager
def about(
    *, loop: Optional[str] = None, cloud: Optional[str] = None, vo: Optional[str] = None, run: Optional[str] = None
) -> Iterator[None]:
    """Mark every line that is logged within a with block; blocks nest."""
    given = {"FEDCLOUD_LOOP": loop, "FEDCLOUD_CLOUD": cloud, "FEDCLOUD_VO": vo, "FEDCLOUD_RUN": run}
    token = _about.set({**_about.get(), **{name: value for name, value in given.items() if value}})
    try:
        yield
    finally:
        _about.reset(token)


def masked(text: str) -> str:
    """Hide what looks like a secret. The last resort: code that logs hands in none."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def fields(record: logging.LogRecord) -> Dict[str, str]:
    """Return the fields of the journal that a line carries beside its text."""
    message_id = getattr(record, "message_id", None)
    return {**_about.get(), **({"MESSAGE_ID": message_id} if message_id else {})}


def _priority(level: int) -> int:
    return next((priority for floor, priority in _PRIORITIES if level >= floor), 7)


class _Plain(logging.Formatter):
    """For people at a terminal: the message; below INFO also who says it."""

    def format(self, record: logging.LogRecord) -> str:
        text = masked(super().format(record))
        if record.levelno >= logging.WARNING:
            return f"{record.levelname.lower()}: {text}"
        return text if record.levelno >= logging.INFO else f"{record.name}: {text}"


class _Prefixed(logging.Formatter):
    """For systemd: each line begins with its priority, so that the journal can tell them apart."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_priority(record.levelno)}>"
        return "\n".join(prefix + line for line in masked(super().format(record)).splitlines() or [""])


class _Journal(logging.Handler):
    """Sends lines with their fields to the journal itself."""

    def __init__(self, send: Callable[..., Any]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._send(
                masked(self.format(record)),
                PRIORITY=str(_priority(record.levelno)),
                SYSLOG_IDENTIFIER="fedcloud-agent",
                LOGGER=record.name,
                **fields(record),
            )
        except Exception:  # noqa: BLE001 -- as every handler of the standard library: logging stops nothing
            self.handleError(record)


def _journal_owns(stream: TextIO) -> bool:
    """Tell whether a stream is the one that systemd connected to the journal."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def handler(stream: TextIO) -> logging.Handler:
    """Return what writes where ``stream`` leads: the journal with fields, prefixed lines for it, or plain text."""
    if _journal_owns(stream):
        try:
            from systemd import journal
        except ImportError:
            pass
        else:
            return _Journal(journal.send)
    result = logging.StreamHandler(stream)
    # a supervisor that captures standard error reads the prefix too; a person's terminal or file does not need it
    result.setFormatter(_Prefixed() if os.environ.get("JOURNAL_STREAM") else _Plain())
    return result


def start(verbose: int = 0) -> None:
    """Begin to log: INFO and above, with ``verbose`` our own steps, with 2 those of libraries as well."""
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler(sys.stderr))
    root.setLevel(logging.DEBUG if verbose > 1 else logging.WARNING)
    logging.getLogger("fedcloud_agent").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("fedcloud_plugins").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.captureWarnings(True)
