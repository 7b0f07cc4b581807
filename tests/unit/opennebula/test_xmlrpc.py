"""How a call is written, and what oned's codes mean."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import xmlrpc.client
from typing import Type

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError, RemoteDataError, UnreachableError
from fedcloud_plugins.opennebula.xmlrpc import AbsentError, LoginRefusedError, read_envelope, refusal, request, sendable


def test_a_call_is_read_as_it_was_meant() -> None:
    body = request("one.vmpool.infoset", "user:pa<ss>&\"'\u00fc\r\n", -2, True, 0, False)
    assert body.isascii()
    arguments, method = xmlrpc.client.loads(body)
    assert method == "one.vmpool.infoset"
    assert arguments == ("user:pa<ss>&\"'\u00fc\r\n", -2, True, 0, False)
    assert [type(a) for a in arguments] == [str, int, bool, int, bool]


@given(st.text())
def test_whatever_is_sent_arrives_and_the_rest_is_refused_without_being_told(text: str) -> None:
    if sendable(text):
        assert ET.fromstring(request("m", text)).findtext(".//string", "") == text
    else:
        with pytest.raises(ConfigurationError) as error:
            request("m", f"secret{text}")
        assert "secret" not in str(error.value)


@pytest.mark.parametrize("text", ["\x00", "a\x08", "\x1f", "\U0001f600", "\ud800", "\uffff"])
def test_what_oned_breaks_on_is_not_sendable(text: str) -> None:
    assert not sendable(text)
    assert sendable("t\u00e9xt\t\r\n \ud7ff\ue000\ufffd")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x100, LoginRefusedError),
        (0x200, RefusedError),
        (0x400, AbsentError),
        (0x800, RemoteDataError),
        (0x1000, RemoteDataError),
        (0x2000, UnreachableError),
        (0x10000, UnreachableError),
        (0x123456, RemoteDataError),
    ],
)
def test_each_code_has_its_error(code: int, kind: Type[AgentError]) -> None:
    error = refusal("http://one.example.org:2633/RPC2 one.vm.info", code, "[one.vm.info] no\nsuch thing")
    assert type(error) is kind
    assert "one.example.org" in error.message and "no such thing" in error.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<methodResponse/>",
        b"<methodResponse><params><param><value><int>1</int></value></param></params></methodResponse>",
        b"<methodResponse><params><param><value><array><data/></array></value></param></params></methodResponse>",
        b"<methodResponse><params>",
        b"\xff\xfe",
    ],
)
def test_what_is_no_array_of_success_value_and_code_is_nonsense(body: bytes) -> None:
    with pytest.raises(RemoteDataError):
        read_envelope(body, "oned")
