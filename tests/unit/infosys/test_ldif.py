from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.infosys import glue20, ldif
from fedcloud_agent.infosys.entry import Entry
from tests.unit.infosys.world import NOW, site


@given(st.lists(st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=60), min_size=1, max_size=4))
def test_what_is_written_is_read_again(values: list[str]) -> None:
    entry = Entry("o=glue", {"o": tuple(values), "objectClass": ("organization",)})
    text = ldif.record(entry)
    assert text.isascii()
    assert list(ldif.parse(text.splitlines(keepends=True))) == [entry]


def test_a_whole_tree_is_read_again() -> None:
    entries = list(glue20.entries(site(), NOW))
    text = "".join(map(ldif.record, entries))
    assert list(ldif.parse(text.splitlines(keepends=True))) == entries


@pytest.mark.parametrize("value", [" leading", "trailing ", ":colon", "<url", "caf\u00e9", "two\nlines", "\0", "\x7f"])
def test_what_is_unsafe_is_encoded(value: str) -> None:
    assert ldif.line("a", value) == f"a:: {base64.b64encode(value.encode()).decode()}\n"


def test_what_ldapsearch_adds_is_passed_over() -> None:
    text = "# extended LDIF\n#\nversion: 1\n\n# glue\ndn: o=gl\n ue\no: glue\n\n# end\nsearch: 2\nresult: 0 Success\n"
    assert list(ldif.parse(text.splitlines(keepends=True))) == [Entry("o=glue", {"o": ("glue",)})]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("o: glue\n", "at line 1"),
        ("dn: o=glue\nnonsense\n", "'nonsense'"),
        ("dn: a\n\n continued\n", "line 3"),
        ("dn: a\nb:: ?\n", "the value of b"),
        ("dn: a\nb:: /w==\n", "the value of b"),
    ],
)
def test_what_is_no_ldif_is_named(text: str, words: str) -> None:
    with pytest.raises(RemoteDataError, match="LDIF") as error:
        list(ldif.parse(text.splitlines(keepends=True)))
    assert words in error.value.message
