"""Times as clouds write them, moved."""

from __future__ import annotations

from typing import Optional

import pytest

from fedcloud_agent.recording.instants import moved, read, written

DAY = 86400


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("2026-11-18T11:06:40Z", "2026-11-19T11:06:40Z"),
        ("2026-11-30T11:06:40.123456", "2026-12-01T11:06:40.123456"),
        ("2026-11-18 11:06:40+01:00", "2026-11-19 11:06:40+01:00"),
        ("Wed, 18 Nov 2026 11:06:40 GMT", "Thu, 19 Nov 2026 11:06:40 GMT"),
        ("Wed, 18 Nov 2026 11:06:40 UTC", "Thu, 19 Nov 2026 11:06:40 UTC"),
        ("Wed, 18 Nov 2026 11:06:40 +0100", "Thu, 19 Nov 2026 11:06:40 +0100"),
        ("1795360544", "1795446944"),
        ("1795360544.5", "1795446944.5"),
        ("0", "0"),
        ("-1", "-1"),
        ("17", "17"),
        ("2026-13-45T99:99:99Z", None),
        ("0000-00-00T00:00:00Z", None),
        ("17953605440000", None),
        ("Jane", None),
        ("", None),
    ],
)
def test_a_time_keeps_its_spelling(text: str, later: Optional[str]) -> None:
    assert moved(text, DAY) == later
    assert moved(text, 0) == (None if later is None else text)


def test_what_is_written_can_be_read() -> None:
    assert read(written(1795360544)) == 1795360544
