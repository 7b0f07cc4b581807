from __future__ import annotations

import re
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.infosys.words import moment, text, word

HOSTILE = st.text() | st.lists(st.sampled_from(["dn:", "o=glue", "DN:", " ", ",", "GLUE2EndpointURL", "x"])).map(
    "".join
)


@given(HOSTILE)
def test_no_text_holds_the_marks_of_readers(value: str) -> None:
    made = text(value)
    if made is not None:
        assert made.isprintable() and made == made.strip() and len(made) > 0
        assert not re.search("dn:|o=glue|GLUE2Endpoint", made, re.IGNORECASE)


@given(HOSTILE)
def test_a_word_is_one_word_of_ascii(value: str) -> None:
    made = word(value)
    if made is not None:
        assert re.fullmatch(r"[!-+\--~]+", made)
        assert not re.search("dn:|o=glue|GLUE2Endpoint", made, re.IGNORECASE)


@pytest.mark.parametrize(
    ("value", "made"), [(None, None), ("", None), (" \t\n", None), (" a\nb ", "a b"), ("\ud800", None)]
)
def test_what_is_nothing_is_none(value: Optional[str], made: Optional[str]) -> None:
    assert text(value) == made


def test_ordinary_words_stay_as_they_are() -> None:
    assert (
        word("https://registry.example.org/vo/image/1:2/?a=b&c=%20")
        == "https://registry.example.org/vo/image/1:2/?a=b&c=%20"
    )
    assert word("m1 large, new") == "m1%20large%2C%20new"
    assert text("Ubuntu 22.04 (\u017elu\u0165ou\u010dk\u00fd)") == "Ubuntu 22.04 (\u017elu\u0165ou\u010dk\u00fd)"


def test_moments_are_utc() -> None:
    assert moment(0) == "1970-01-01T00:00:00Z"
