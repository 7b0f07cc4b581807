from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fedcloud_agent.config.annotation import annotate
from fedcloud_agent.config.yaml import parse
from fedcloud_agent.errors import ConfigurationError
from tests.unit.config.rooms import GOOD, faults_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("True", "True"),
        ("~", None),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+5", 5),
        ("0640", "0640"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("9" * 5000, "9" * 5000),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-e5", "-e5"),
        ("1.", 1.0),
        (".inf", ".inf"),
        (".", "."),
        ("2026-11-01", "2026-11-01"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("<<", "<<"),
    ],
)
def test_scalars_mean_what_they_look_like(written: str, meant: object) -> None:
    tree, faults = parse(f"a: {written}\n".encode(), "f")
    assert faults == []
    assert tree is not None and tree.mapping is not None
    value = tree.mapping["a"].plain()
    assert (type(value), value) == (type(meant), meant)


def test_keys_are_words_whatever_they_look_like() -> None:
    tree, faults = parse(b"true: 1\n5: 2\n1.0: 3\n", "f")
    assert tree is not None and not faults
    assert tree.plain() == {"true": 1, "5": 2, "1.0": 3}


def test_lines_are_counted_as_the_parser_counts_them() -> None:
    for text in ("a: 1\r\nb: 2\r\nb: 3\r\n", "a: 1\rb: 2\rb: 3\r", "a: '\u2028'\nb: 3\nb: 4\n"):
        _, (fault,) = parse(text.encode(), "f")
        assert (fault.origin.line, fault.origin.column) == (4 if "\u2028" in text else 3, 1)


def _survives(data: bytes) -> None:
    tree, faults = parse(data, "f")
    assert tree is not None or faults
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "agent.yaml").write_bytes(data)
        try:
            found = faults_of(directory)
        except ConfigurationError:
            return
        lines = list(annotate(found))
        assert len(lines) >= len(found)
        "\n".join(lines).encode("utf-8")


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_bytes_are_faults_and_never_an_exception(data: bytes) -> None:
    _survives(data)


@given(st.text(alphabet="ab:-?!&*<>|'\"%@`[]{},#~. \t\n\\x0Uud8", max_size=60))
@settings(max_examples=300, deadline=None, derandomize=True)
@example('"\\ud800": 1')
@example('a: "\\UFFFFFFFF"')
@example("%YAML " + "9" * 5000 + ".1\n---\na: b")
@example("%TAG ! tag:x\n--- !a b")
@example("? : : ?")
@example("a: !<> x")
@example("a: !!int x")
@example("a: !!float 1_0")
@example("&a : *a")
@example("\x00")
@example("\ufeff\ufeff")
@example("--- |9\n x")
def test_any_text_like_yaml_is_faults_and_never_an_exception(text: str) -> None:
    _survives(text.encode("utf-8"))


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 12), st.text(alphabet="a:[]{}'\"&*-# \n\t1", max_size=6))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_good_file_with_a_slip_of_the_editor_is_never_an_exception(start: int, length: int, text: str) -> None:
    _survives((GOOD[:start] + text + GOOD[start + length :]).encode())


_words = st.sampled_from(
    ["site", "name", "clouds", "main", "type", "steam", "auth", "vos", "store", "url", "x", "benchmark", "accounting"]
    + [
        "destinations",
        "retry",
        "second",
        "after",
        "schedule",
        "every 1h",
        "https://h:x",
        "http://[",
        "9s",
        "/p",
        "limit",
    ]
)
_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _words | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(_words, _trees, max_size=5))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_tree_of_our_own_words_is_faults_and_never_an_exception(tree: object) -> None:
    import yaml

    _survives(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))
