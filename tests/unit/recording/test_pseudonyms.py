"""Pseudonyms keep the shape of what they stand for, and nothing else of it."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.recording.checking import Judge
from fedcloud_agent.recording.pseudonyms import Pseudonyms

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=60) | st.text("abcXYZ019 -_./:@=\\,", max_size=40)


def judged(text: str) -> int:
    judge = Judge()
    judge.text(text)
    return len(judge.findings)


def shape(text: str) -> str:
    kinds = {
        "Ll": "a",
        "Lu": "A",
        "Lo": "x",
        "Lt": "x",
        "Lm": "x",
        "Nd": "9",
        "So": "*",
        "Sm": "*",
        "Sk": "*",
        "Sc": "*",
    }
    return "".join(kinds.get(unicodedata.category(c), c) for c in text)


@given(TEXT)
def test_a_pseudonym_is_always_the_same_and_passes_its_own_check(text: str) -> None:
    names = Pseudonyms()
    made = names.text(text)
    assert names.text(text) == made
    assert judged(made) == 0


@given(st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters=":.")))
def test_lengths_in_characters_and_bytes_stay(text: str) -> None:
    made = Pseudonyms().text(text)
    assert [len(c.encode()) for c in made] == [len(c.encode()) for c in text]


@given(st.text("aZ5 _-/=@\n\t\x00\u200d\u0301\ue000"))
def test_what_is_no_letter_digit_or_symbol_stays(text: str) -> None:
    made = Pseudonyms().text(text)
    assert re.sub(r"[^\W_]", "", made) == re.sub(r"[^\W_]", "", text)


@given(st.lists(st.from_regex(r"\A[a-zA-Z]{5,9}[aeiou]\Z"), min_size=1), st.lists(st.sampled_from(" .-_/@:,\n0")))
def test_no_word_survives(words: list[str], between: list[str]) -> None:
    text = "".join(word + (between[at % len(between)] if between else " ") for at, word in enumerate(words))
    made = Pseudonyms().text(text)
    assert not any(word in made for word in words)


@given(st.lists(st.integers(0, 10**6).map(str), unique=True, max_size=50))
def test_numbers_are_never_confused(numbers: list[str]) -> None:
    names = Pseudonyms()
    made = [names.text(number) for number in numbers]
    assert len(set(made)) == len(made)
    assert list(map(len, made)) == list(map(len, numbers))
    assert all(one == str(int(one)) for one in made)


@given(st.lists(st.from_regex(r"\A[a-z]{1,2}\d{1,2}\Z"), unique=True, max_size=60))
def test_short_words_are_not_confused_as_long_as_there_are_others(words: list[str]) -> None:
    names = Pseudonyms()
    assert len({names.text(word) for word in words}) == len(words)


@given(st.uuids(version=4))
def test_a_uuid_is_one_with_and_without_dashes(uuid: object) -> None:
    names = Pseudonyms()
    made = names.text(str(uuid))
    assert re.fullmatch(r"[0-9bcdf]{8}-[0-9bcdf]{4}-4[0-9bcdf]{3}-[89b][0-9bcdf]{3}-[0-9bcdf]{12}", made)
    assert names.text(str(uuid).replace("-", "")) == made.replace("-", "")
    assert names.text(str(uuid).upper()).lower() == made
    assert names.text(f"server {uuid} is gone").split()[1] == made


@given(st.ip_addresses())
def test_an_address_stays_routed_or_not_and_is_nobodys(address: object) -> None:
    made = ipaddress.ip_address(Pseudonyms().text(str(address)))
    real = ipaddress.ip_address(str(address))
    assert (made.version, made.is_global) == (real.version, real.is_global)
    assert judged(str(made)) == 0


def test_the_parts_of_names_agree_wherever_they_stand() -> None:
    names = Pseudonyms()
    jane, doe, host = names.text("Jane"), names.text("Doe"), names.text("cloud.example.org")
    assert names.text("/DC=org/CN=Jane Doe").endswith(f"/CN={jane} {doe}")
    assert names.text("https://cloud.example.org/").startswith(f"https://{host}/")
    assert names.text("Jane@cloud.example.org") == f"{jane}@{host}"
    assert names.text("CN=Jane\\20Doe") == f"CN={jane}\\20{doe}"


def test_odd_characters_stay_odd() -> None:
    made = Pseudonyms().text("caf\u00e9 \U0001f680 \u65e5\u672c \x01 \udce9 \u05d0 fa:16:3e:aa:bb:cc")
    assert shape(made)[:6] == "aaaa *" and "\x01" in made and "\udce9" in made
    assert unicodedata.bidirectional(made.split()[5]) == "R"
    assert re.fullmatch("(?:[0-9bcdf]{2}:){5}[0-9bcdf]{2}", made.split()[-1])


def test_two_recordings_have_nothing_in_common() -> None:
    assert Pseudonyms().text("jane-doe-laboratory") != Pseudonyms().text("jane-doe-laboratory")


@pytest.mark.parametrize("secret", ["", "a", "x" * 4000, "pass word"])
def test_a_secret_keeps_not_even_its_length(secret: str) -> None:
    assert re.fullmatch("[bcdfghjklmnpqrstvwxz]{32}", Pseudonyms().secret(secret))


def test_long_texts_and_numbers_have_pseudonyms_too() -> None:
    for text in ("x" * 70000, "7" * 300, "Aa0+" * 5000):
        made = Pseudonyms().text(text)
        assert len(made) == len(text) and made != text


@pytest.mark.parametrize("text", ["9::X", "9::z", " 0\\-@/b ba\\b:://,c_b", "999.1.1.1", "x:1::y:300.1.2.3"])
def test_what_looks_like_an_address_does_not_become_somebodys(text: str) -> None:
    for _ in range(300):
        assert judged(Pseudonyms().text(text)) == 0
