from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from fedcloud_agent import log

CODE = """
import logging, sys
from fedcloud_agent import log
log.start(int(sys.argv[1]))
ours = logging.getLogger("fedcloud_agent.x")
ours.debug("a step"); ours.info("a run"); ours.warning("may heal")
try: 1 / 0
except ZeroDivisionError: ours.exception("act")
logging.getLogger("library").info("chatter")
"""


def said(verbose: int, **environment: str) -> List[str]:
    env = {k: v for k, v in os.environ.items() if k != "JOURNAL_STREAM"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(verbose)], env={**env, **environment}, capture_output=True, check=True
    )
    assert done.stdout == b""
    return done.stderr.decode().splitlines()


def test_for_people() -> None:
    lines = said(0)
    assert lines[:3] == ["a run", "warning: may heal", "error: act"]
    assert lines[3].startswith("Traceback")
    assert said(1)[0] == "fedcloud_agent.x: a step" and not any("chatter" in line for line in said(1))
    assert said(2)[-1] == "chatter"


def test_under_a_supervisor_every_line_bears_its_priority() -> None:
    lines = said(1, JOURNAL_STREAM="1:1")
    assert lines[:4] == ["<7>a step", "<6>a run", "<4>may heal", "<3>act"]
    assert all(line.startswith("<3>") for line in lines[4:-1]) and "<3>ZeroDivisionError" in "".join(lines)


class Journal:
    def __init__(self) -> None:
        self.entries: List[Dict[str, Any]] = []

    def send(self, message: str, **fields: Any) -> None:
        self.entries.append({"MESSAGE": message, **fields})


def test_in_the_journal_a_line_carries_what_it_is_about(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    journal = Journal()
    real = pytest.importorskip("systemd.journal")
    monkeypatch.setattr(real, "send", journal.send)
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        handler = log.handler(stream)
        monkeypatch.setenv("JOURNAL_STREAM", "1:1")
        assert isinstance(log.handler(stream), logging.StreamHandler), "a stream that is not the journal's"
    logger = logging.getLogger("fedcloud_agent.test_log")
    logger.propagate = False
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with log.about(loop="accounting", cloud="main", run="r1"):
            with log.about(vo="vo.example.org"):
                logger.error("sent with password=hunter2 to %s", "https://me:hunter2@host.example.org/")
            logger.info("done", extra={"message_id": log.RUN_FINISHED})
        logger.warning("elsewhere")
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    first, second, third = journal.entries
    assert first["MESSAGE"] == "sent with password=*** to https://me:***@host.example.org/"
    assert {k: v for k, v in first.items() if k.startswith("FEDCLOUD")} == {
        "FEDCLOUD_LOOP": "accounting",
        "FEDCLOUD_CLOUD": "main",
        "FEDCLOUD_RUN": "r1",
        "FEDCLOUD_VO": "vo.example.org",
    }
    assert (first["PRIORITY"], second["PRIORITY"], third["PRIORITY"]) == ("3", "6", "4")
    assert second["MESSAGE_ID"] == log.RUN_FINISHED and "FEDCLOUD_VO" not in second
    assert not any(name.startswith("FEDCLOUD") for name in third)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://user:pa%40ss@h.example.org:5000/v3", "GET https://user:***@h.example.org:5000/v3"),
        ("X-Auth-Token: gAAAAABabcdef", "X-Auth-Token: ***"),
        ("Authorization: Bearer eyJhbGciOi.J9.x", "Authorization: Bearer ***"),
        ('{"password": "hunter2", "user": "me"}', '{"password": "***", "user": "me"}'),
        ("client_secret=abc&next=1", "client_secret=***&next=1"),
        ("the secret /etc/k.secret cannot be read", "the secret /etc/k.secret cannot be read"),
        ("password_file: /etc/secret", "password_file: /etc/secret"),
    ],
)
def test_secrets_are_hidden_and_places_are_not(text: str, shown: str) -> None:
    assert log.masked(text) == shown


def test_a_stream_without_a_file_is_nobodys_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert isinstance(log.handler(io.StringIO()), logging.StreamHandler)
