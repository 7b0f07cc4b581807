"""What each release is asked."""

from __future__ import annotations

import pytest

from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.opennebula.dialect import dialect_of, version_of
from fedcloud_plugins.opennebula.row import Form


@pytest.mark.parametrize(
    ("text", "call", "form", "brief_form", "infoset", "samples"),
    [
        ("3.2.0", "info", Form.LAST, Form.LAST, False, False),
        ("4.14.2", "info", Form.LAST, Form.LAST, False, False),
        ("5.4.15", "info", Form.LAST, Form.LAST, False, False),
        ("5.8.0", "info", Form.SHORT, Form.SHORT, False, False),
        ("5.8.1", "infoextended", Form.LAST, Form.SHORT, False, False),
        ("5.12.0.4", "infoextended", Form.LAST, Form.SHORT, True, False),
        ("6.10.5", "infoextended", Form.LAST, Form.SHORT, True, True),
        ("7.4.0", "infoextended", Form.LAST, Form.SHORT, True, True),
        ("19.2", "infoextended", Form.LAST, Form.SHORT, True, True),
    ],
)
def test_each_release_has_its_calls(
    text: str, call: str, form: Form, brief_form: Form, infoset: bool, samples: bool
) -> None:
    dialect = dialect_of(version_of(text))
    assert (dialect.pool, dialect.form) == (f"one.vmpool.{call}", form)
    assert (dialect.brief, dialect.brief_form) == ("one.vmpool.info", brief_form)
    assert (dialect.infoset, dialect.samples) == (infoset, samples)
    assert text.startswith(dialect.name) or dialect.name.startswith(text)


def test_row_numbers_are_asked_for_only_where_they_are_known() -> None:
    assert not dialect_of((4, 4, 1)).offsets
    assert dialect_of((4, 6, 0)).offsets


@pytest.mark.parametrize("text", ["", "six", "6", "<html>", "6."])
def test_no_version_is_nonsense(text: str) -> None:
    with pytest.raises(RemoteDataError):
        version_of(text)
