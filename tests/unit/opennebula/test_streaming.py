"""Answers of oned, as they were recorded and as they never should be, cut into pieces of any size."""

from __future__ import annotations

import tracemalloc
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Iterator, List
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.errors import RemoteDataError
from fedcloud_agent.http import CutOffError
from fedcloud_plugins.opennebula.streaming import GarbledError, element, elements, value_of
from fedcloud_plugins.opennebula.xmlrpc import AbsentError, FaultError, LoginRefusedError

RECORDED = Path(__file__).resolve().parents[2] / "data" / "opennebula" / "wire"
EXTENDED = "vmpool.infoextended_-2_0_5_-2.xml"


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[begin : begin + size] for begin in range(0, len(data), size))


def enveloped(inner: bytes) -> bytes:
    """Return an answer as xmlrpc-c writes it, around a document of any bytes."""
    text = inner.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b"\r", b"&#x0d;")
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n<params>\r\n<param><value><array><data>\r\n'
        b"<value><boolean>1</boolean></value>\r\n<value><string>" + text + b"</string></value>\r\n"
        b"<value><i4>0</i4></value>\r\n</data></array></value></param>\r\n</params>\r\n</methodResponse>\r\n"
    )


def machines(body: bytes, size: int = 65536) -> List[ET.Element]:
    return list(elements(value_of(pieces(body, size), "oned"), "VM_POOL", "oned"))


@pytest.mark.parametrize("size", [1, 2, 7, 100, 4096, 10**6])
def test_a_recorded_pool_comes_whole_whatever_the_pieces(size: int) -> None:
    body = recorded(EXTENDED)
    # the whole answer by two passes of an ordinary parser
    (text,) = (node.text for node in ET.fromstring(body.decode()).iter("string"))
    expected = [ET.tostring(node) for node in ET.fromstring(str(text))]
    assert [ET.tostring(node) for node in machines(body, size)] == expected
    assert len(expected) == 6


@pytest.mark.parametrize("size", [1, 5, 10**6])
def test_an_empty_pool_is_empty_and_not_an_error(size: int) -> None:
    assert machines(recorded("vmpool.info_-2_1000_1499_-2-empty.xml"), size) == []
    assert machines(enveloped(b"<VM_POOL/>"), size) == []


@pytest.mark.parametrize("size", [1, 9, 10**6])
def test_faults_and_refusals_are_told_apart(size: int) -> None:
    def read(name: str) -> str:
        return b"".join(value_of(pieces(recorded(name), size), "oned")).decode()

    assert read("system.version.xml") == "6.10.5"
    with pytest.raises(LoginRefusedError, match="couldn't be authenticated"):
        read("system.version-wrong-password.xml")
    with pytest.raises(FaultError, match="Basic Multilingual Plane") as fault:
        read("vm.info_1-hold-after-emoji.xml")
    assert fault.value.code == -500
    for name in ("vm.info-missing.xml", "vm.info-missing-5.4.xml"):
        with pytest.raises(AbsentError, match="Error getting virtual machine"):
            read(name)


def test_other_letters_come_through() -> None:
    machine = element(value_of(pieces(recorded("vm.info_33-unicode-name.xml"), 3), "oned"), "VM", "oned")
    assert not str(machine.findtext("NAME")).isascii()
    assert "\ufffd" not in str(machine.findtext("NAME"))


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        (b"caf\xe9", "caf\ufffd"),
        (b"bell\x07 back\x08", "bell back"),
        (b"&#8;&#x1F;&#65;", "\ufffd\ufffdA"),
        (b"&#xD83D;&#xDE00;", "\ufffd\ufffd"),
        ("\U0001f600".encode(), "\U0001f600"),
        (b"&#128512;", "\U0001f600"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        ("\ufffe\uffff".encode(), "\ufffd\ufffd"),
        (b"<![CDATA[a <b> &amp; &#8; c]]>", "a <b> &amp; \ufffd c"),
        (b"a\r\nb", "a\nb"),
        (b"&lt;&amp;&gt;", "<&>"),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_what_no_xml_may_hold_stays_in_the_value_where_it_stands(inner: bytes, name: str, size: int) -> None:
    pool = b"<VM_POOL><VM><ID>1</ID><NAME>" + inner + b"</NAME></VM><VM><ID>2</ID></VM></VM_POOL>"
    first, second = machines(enveloped(pool), size)
    assert first.findtext("NAME") == name
    assert second.findtext("ID") == "2"


@given(st.text(), st.integers(1, 40))
def test_any_text_comes_as_it_is_or_with_what_xml_lacks_replaced(text: str, size: int) -> None:
    inner = f"<VM_POOL><VM><NAME>{escape(text)}</NAME></VM></VM_POOL>".encode("utf-8", "surrogatepass")
    (machine,) = machines(enveloped(inner), size)
    kept = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    for control in [chr(n) for n in range(32) if n not in (9, 10, 13)]:
        kept = kept.replace(control, "")
    kept = kept.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    assert (machine.findtext("NAME") or "") == kept


@pytest.mark.parametrize("name", [EXTENDED, "system.version.xml", "vm.info-missing.xml", "unknown-method-fault.xml"])
def test_an_answer_that_breaks_off_is_never_taken_for_whole(name: str) -> None:
    body = recorded(name)
    end = body.rstrip()
    for cut in sorted({0, 1, 10, 60, 150, 200, 260, len(body) // 2, len(end) - 30, len(end) - 10, len(end) - 1}):
        with pytest.raises(RemoteDataError):
            list(elements(value_of(pieces(body[:cut], 64), "oned"), "VM_POOL", "oned"))
    with pytest.raises(CutOffError):
        list(value_of(pieces(end[:-1], 64), "oned"))


BILLION = (
    b'<!DOCTYPE VM_POOL [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b"]><VM_POOL><VM><NAME>&b;</NAME></VM></VM_POOL>"
)


@pytest.mark.parametrize(
    "inner",
    [
        BILLION,
        b'<?xml version="1.0"?>' + BILLION,
        b" " * 5000 + BILLION,
        b"<!-- a -->" + BILLION,
        b'<VM_POOL><!DOCTYPE a [<!ENTITY b "c">]><VM><NAME>&b;</NAME></VM></VM_POOL>',
        b"<VM_POOL><VM><NAME>&b;</NAME></VM></VM_POOL>",
        b"<VM_POOL><VM></VM>",
        b"<VM_POOL></VM_POOL><VM_POOL></VM_POOL>",
        b"<HOST_POOL></HOST_POOL>",
        b"",
    ],
)
def test_entities_and_other_documents_are_refused(inner: bytes) -> None:
    with pytest.raises(RemoteDataError):
        machines(enveloped(inner))


def test_entities_around_the_value_are_refused() -> None:
    body = b'<!DOCTYPE a [<!ENTITY b "c">]>' + enveloped(b"<VM_POOL/>").partition(b"\r\n")[2]
    with pytest.raises(RemoteDataError):
        machines(body)
    with pytest.raises(RemoteDataError, match="entity"):
        machines(enveloped(b"<VM_POOL/>").replace(b"&lt;VM_POOL/&gt;", b"&lt;VM_POOL/&gt;&b;"))
    with pytest.raises(RemoteDataError, match="not escaped"):
        machines(enveloped(b"<VM_POOL/>").replace(b"&lt;VM_POOL/&gt;", b"<VM_POOL/>"))


def test_html_where_an_answer_was_due_is_shown_and_explained() -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
    with pytest.raises(RemoteDataError, match="Bad Gateway") as error:
        list(value_of(pieces(page, 10), "https://one.example.org/RPC2"))
    assert "proxy" in str(error.value.hint)


def test_a_machine_that_is_no_xml_is_told_apart_from_an_answer_that_broke_off() -> None:
    with pytest.raises(GarbledError):
        machines(enveloped(b"<VM_POOL><VM><ID>1</IDD></VM></VM_POOL>"))


def test_memory_is_that_of_one_machine() -> None:
    inner = b"".join(value_of([recorded(EXTENDED)], "oned"))
    machine = inner[len(b"<VM_POOL>") : -len(b"</VM_POOL>")]

    def peak(copies: int) -> int:
        body = enveloped(b"<VM_POOL>" + machine * copies + b"</VM_POOL>")
        tracemalloc.start()
        try:
            count = sum(1 for _ in elements(value_of(pieces(body, 65536), "oned"), "VM_POOL", "oned"))
            assert count == 6 * copies
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(20), peak(200)
    assert large < 1.2 * small
