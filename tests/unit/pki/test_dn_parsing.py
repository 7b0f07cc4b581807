"""Every spelling of a distinguished name is read, rendered in one way, and compared as people mean it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.pki.dn import CONTROL_CHARACTER, UNPARSABLE, DistinguishedName, UnfitNameError, parse_dn
from fedcloud_agent.site.identity import slash_dn

ANN = "/DC=org/DC=example/CN=Ann Ex 9"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ANN, ANN),
        (f"  {ANN} ", ANN),
        ("CN=Ann Ex 9,DC=example,DC=org", ANN),
        ("cn=Ann Ex 9, dc=example, dc=org", ANN),
        ("DC = org, DC = example, CN = Ann Ex 9", ANN),
        ("DC=org, DC=example, CN=Ann Ex 9", ANN),
        ("CN=Ann Ex 9;DC=example;DC=org", ANN),
        ("C = UK, O = Example", "/C=UK/O=Example"),
        ("O=Example,C=UK", "/C=UK/O=Example"),
        ("O = Grid, OU = Lab, CN = Ann", "/O=Grid/OU=Lab/CN=Ann"),
        ("/C=UK/Email=a@example.org", "/C=UK/emailAddress=a@example.org"),
        ("/C=UK/E=a@example.org", "/C=UK/emailAddress=a@example.org"),
        ("/C=UK/mail=a@example.org", "/C=UK/emailAddress=a@example.org"),
        ("/C=UK/1.2.840.113549.1.9.1=a@example.org", "/C=UK/emailAddress=a@example.org"),
        ("1.2.840.113549.1.9.1=a@example.org,C=UK", "/C=UK/emailAddress=a@example.org"),
        ("/dc=org/userid=7/S=Bavaria/cn=x", "/DC=org/UID=7/ST=Bavaria/CN=x"),
        ("/C=UK/serialnumber=4/foo=bar", "/C=UK/serialNumber=4/FOO=bar"),
        ("/DC=org/CN=host/www.example.org", "/DC=org/CN=host/www.example.org"),
        (r"/DC=org/CN=host\/www.example.org", "/DC=org/CN=host/www.example.org"),
        (r"/DC=org/CN=a\+b", "/DC=org/CN=a+b"),
        ("/DC=org/CN=Jos\u00e9", r"/DC=org/CN=Jos\xC3\xA9"),
        (r"/DC=org/CN=Jos\xc3\xa9", r"/DC=org/CN=Jos\xC3\xA9"),
        ("CN=Jos\\C3\\A9,DC=org", r"/DC=org/CN=Jos\xC3\xA9"),
        (r"CN=Doe\, Ann,O=Ex\2C Inc,C=UK", "/C=UK/O=Ex, Inc/CN=Doe, Ann"),
        ('C = UK, O = "Ex, Inc", CN = x', "/C=UK/O=Ex, Inc/CN=x"),
        ("CN=x+UID=7,DC=org", "/DC=org/UID=7/CN=x"),
        (r"/DC=org/CN=Jos\xE9", r"/DC=org/CN=Jos\xE9"),
        ("/DC=org/CN=a\tb", r"/DC=org/CN=a\x09b"),
        ("/DC=org/CN=a=b, c", "/DC=org/CN=a=b, c"),
        (r"/DC=org/CN=DOMAIN\user", r"/DC=org/CN=DOMAIN\user"),
    ],
)
def test_a_spelling(text: str, expected: str) -> None:
    assert str(parse_dn(text)) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ANN, ANN.upper()),
        (ANN, "/DC=org/DC=example/CN=ann  ex 9"),
        ("/DC=org/CN=Jos\u00e9", "/DC=org/CN=JOSE\u0301"),
        ("/DC=org/CN=Jos\u00e9", r"/DC=org/CN=Jos\xC3\xA9"),
        ("/DC=org/CN=Stra\u00dfe", "/DC=org/CN=STRASSE"),
        ("/C=UK/Email=A@example.org", "/C=UK/emailAddress=a@example.org"),
    ],
)
def test_equal_names(one: str, other: str) -> None:
    assert parse_dn(one).key == parse_dn(other).key


def test_unequal_names() -> None:
    assert parse_dn("/DC=org/CN=a/CN=b").key != parse_dn("/DC=org/CN=a b").key
    assert parse_dn("/DC=org/CN=ab").key != parse_dn("/DC=org/CN=a b").key
    assert parse_dn(r"/DC=org/CN=\xE9").key != parse_dn("/DC=org/CN=\u00e9").key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", UNPARSABLE),
        ("ann", UNPARSABLE),
        ("/", UNPARSABLE),
        ("/CN=alone", UNPARSABLE),
        ("/DC=org/CN=", UNPARSABLE),
        ("/DC=org/CN=  /CN=x", UNPARSABLE),
        ("//DC=org/CN=x", UNPARSABLE),
        ("DC=org,ann", UNPARSABLE),
        ("CN=#0401,DC=org", UNPARSABLE),
        ('CN="x,DC=org', UNPARSABLE),
        ("CN=x\\", UNPARSABLE),
        ("/DC=org/CN=a\nb", CONTROL_CHARACTER),
        (r"/DC=org/CN=a\x0Ab", CONTROL_CHARACTER),
        (r"CN=a\0Ab,DC=org", CONTROL_CHARACTER),
        ("/DC=org/CN=a\ud800", CONTROL_CHARACTER),
        # written in one line, these would be names of somebody else
        ("CN=a/CN=b,DC=org", UNPARSABLE),
        (r"/DC=org/CN=a\/CN=b", UNPARSABLE),
        (r"CN=\\x41nn,DC=org", UNPARSABLE),
    ],
)
def test_no_name(text: str, reason: str) -> None:
    with pytest.raises(UnfitNameError) as caught:
        parse_dn(text)
    assert caught.value.reason == reason
    assert not text or text not in str(caught.value)


def test_spellings() -> None:
    assert parse_dn(ANN).spellings == (ANN,)
    assert parse_dn("/DC=org/CN=host/a+b").spellings == ("/DC=org/CN=host/a+b", r"/DC=org/CN=host\/a\+b")


TYPES = st.sampled_from(["DC", "CN", "O", "OU", "emailAddress", "UID", "serialNumber"])
VALUES = st.text(min_size=1, max_size=12)
COMMON = st.text(string.ascii_letters + " .-@'()/+,=\\", min_size=1, max_size=12)


@given(st.lists(st.tuples(TYPES, VALUES | COMMON), min_size=2, max_size=5))
def test_what_is_rendered_is_read_as_the_same_name(attributes: list[tuple[str, str]]) -> None:
    text = str(DistinguishedName(tuple(attributes)))
    try:
        name = parse_dn(text)
    except UnfitNameError:
        return
    again = parse_dn(str(name))
    assert again.key == name.key
    assert str(again) == str(name)
    assert str(name).isascii() and str(name).isprintable()
    # accounting takes it for the same name: GlobalUserName is what the account says
    assert slash_dn(str(name)) == str(name)
    assert all(parse_dn(spelling) == name for spelling in name.spellings)


@given(st.text(max_size=40))
def test_nothing_but_our_error_comes_out(text: str) -> None:
    for prefix in ("", "/", "/DC=org/CN=", "CN="):
        try:
            parse_dn(prefix + text)
        except UnfitNameError:
            continue
