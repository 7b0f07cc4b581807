from __future__ import annotations

import logging
import os

import pytest

from fedcloud_agent.infosys.slapd.words import Words, gist, plain

DEATH = """\
65603c2e.1c2b3a4d 0x7f6f2c3e9740 @(#) $OpenLDAP: slapd 2.5.13 (Feb  8 2023 01:56:12) $
\tDebian OpenLDAP Maintainers <pkg-openldap@example.org>
65603c2e.1c2b3a4d 0x7f6f2c3e9740 daemon: bind(8) failed errno=98 (Address already in use)
65603c2e slapd stopped.
65603c2e connections_destroy: nothing to destroy.
"""


def test_time_and_thread_are_taken_off() -> None:
    assert [plain(line) for line in DEATH.splitlines()] == [
        "@(#) $OpenLDAP: slapd 2.5.13 (Feb  8 2023 01:56:12) $",
        "",
        "daemon: bind(8) failed errno=98 (Address already in use)",
        "slapd stopped.",
        "connections_destroy: nothing to destroy.",
    ]


def test_what_it_died_of_is_told_in_its_own_words(caplog: pytest.LogCaptureFixture) -> None:
    read, write = os.pipe()
    with caplog.at_level(logging.DEBUG):
        words = Words(read)
        os.write(write, DEATH.encode())
        os.close(write)
        assert words.last() == "daemon: bind(8) failed errno=98 (Address already in use)"
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.INFO]
    assert told == ["slapd: daemon: bind(8) failed errno=98 (Address already in use)"]


def test_who_says_nothing_of_its_death() -> None:
    assert gist(["slapd starting", "", "slapd stopped."]) == ""
