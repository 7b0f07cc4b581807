"""HTTP as Abyss speaks it: pages, headers, places, patience, and the size that no answer exceeds."""

from __future__ import annotations

import http.client
import re
import socket
import time

import pytest

from tests.integration.federation.opennebula.conftest import NOVEMBER, Client, Start

CALL = (
    b"<?xml version='1.0'?><methodCall><methodName>one.system.version</methodName><params><param><value><string>"
    b"oneadmin:opennebula</string></value></param></params></methodCall>"
)


def talk(client: Client, data: bytes, timeout: float = 20) -> bytes:
    """Send bytes and return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", client.oned.port), timeout=timeout) as connection:
        connection.sendall(data)
        parts = iter(lambda: connection.recv(65536), b"")
        return b"".join(parts)


def request(first: str, body: bytes = b"", *more: str) -> bytes:
    lines = [first, "Host: x", *more]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_no_connection_is_kept(start: Start) -> None:
    client = start("6.10")
    answer = talk(client, request("POST /RPC2 HTTP/1.1", CALL, "Connection: keep-alive"))
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "HTTP/1.1 200 OK",
        "Content-type: text/xml; charset=utf-8",
        f"Content-length: {len(rest)}",
        "Connection: close",
        "Date: Sun, 01 Nov 2026 00:00:00 UTC",
        "Server: Xmlrpc-c_Abyss/1.33.14",
    ]
    assert rest.endswith(b"</methodResponse>\r\n") and rest.count(b"\n") == rest.count(b"\r\n")


@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        (request("GET /RPC2 HTTP/1.1"), 405, "POST is the only HTTP method this server understands"),
        (request("POST /other HTTP/1.1", CALL), 404, "it's not the one you requested: '/other'"),
        (request("POST /RPC2 HTTP/1.1"), 411, "You must send a content-length HTTP header"),
        (request("POST /RPC2 HTTP/1.1", b"", "Transfer-Encoding: chunked"), 411, "You must send a content-length"),
    ],
)
def test_pages(start: Start, data: bytes, status: int, text: str) -> None:
    head, _, page = talk(start("6.10"), data).decode().partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ") and "Content-type: text/html" in head and "Connection: close" in head
    assert f"<TITLE>Error {status}</TITLE>" in page and text in page


def test_a_stalled_body_and_an_idle_connection_are_given_up(start: Start) -> None:
    client = start("6.10")
    client.oned.limits(request_seconds=0.3)
    whole = request("POST /RPC2 HTTP/1.1", CALL)
    for data in (whole[:-20], b""):
        assert talk(client, data).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_the_sixteenth_connection_waits_for_a_place(start: Start) -> None:
    client = start("6.10")
    client.oned.limits(request_seconds=2)
    idle = [socket.create_connection(("127.0.0.1", client.oned.port)) for _ in range(15)]
    time.sleep(0.2)
    before = time.monotonic()
    assert client.call("system.version").status == 200
    assert time.monotonic() - before > 1
    for connection in idle:
        connection.close()


def test_an_answer_that_is_too_large_is_a_page(start: Start) -> None:
    client = start("6.10")
    client.oned.create_vms([{"count": 20}])
    client.oned.limits(largest=30000)
    assert client.call("vmpool.infoextended", -2, 0, 3, -2).status == 200
    answer = client.call("vmpool.infoextended", -2, -1, -1, -2)
    assert answer.status == 500 and b"Memory block too large" in answer.body and b"<HTML>" in answer.body


def test_who_reads_slowly_is_waited_for(start: Start) -> None:
    client = start("6.10")
    client.oned.create_vms([{"count": 500}])
    client.oned.limits(request_seconds=0.5)
    connection = http.client.HTTPConnection("127.0.0.1", client.oned.port, timeout=30)
    body = CALL.replace(b"system.version", b"vmpool.infoextended")
    numbers = b"".join(b"<param><value><int>%d</int></value></param>" % number for number in (-2, -1, -1, -2))
    connection.request("POST", "/RPC2", body.replace(b"</params>", numbers + b"</params>"))
    response = connection.getresponse()
    start_of_it = response.read(1000)
    time.sleep(1.5)
    whole = start_of_it + response.read()
    assert len(re.findall(rb"&lt;VM&gt;", whole)) == 500
    connection.close()


def test_the_clock_of_the_site_is_in_the_date_header(start: Start) -> None:
    client = start("6.10")
    client.oned.set_clock(NOVEMBER + 86400)
    assert ("Date", "Mon, 02 Nov 2026 00:00:00 UTC") in client.call("system.version").headers
