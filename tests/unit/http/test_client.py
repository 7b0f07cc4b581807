"""The one door to HTTP against a real server that misbehaves on purpose."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Mapping

import pytest

from fedcloud_agent.errors import AgentError, RefusedError, RemoteDataError, UnreachableError
from fedcloud_agent.http import Answer, Bounds, Client
from tests.unit.http.serving import Handler, Reply, Server


def after(failures: int, fault: Reply, well: Reply) -> Reply:
    """Answer with ``fault`` so many times, then ``well``."""
    left = [failures]

    def reply(handler: Handler) -> None:
        if left[0]:
            left[0] -= 1
            fault(handler)
        else:
            well(handler)

    return reply


def well(handler: Handler) -> None:
    handler.say(200, b'{"fine": true}')


def drop(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def test_json_is_read_and_the_connection_used_again(server: Server, client: Client) -> None:
    server.replies["/a"] = well
    for _ in range(5):
        assert client.get(server.url("/a"), params={"limit": 3}).json() == {"fine": True}
    assert server.connections == 1
    assert server.seen[0][1] == "/a?limit=3"
    assert server.seen[0][2]["User-Agent"].startswith("fedcloud-agent/")


def test_the_date_header_is_the_peers_clock(server: Server, client: Client) -> None:
    server.replies["/a"] = well
    assert abs(client.get(server.url("/a")).date() - time.time()) < 5


def test_a_date_without_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        for zone in ("GMT", "-0000", "+0000"):
            date = f"Sun, 22 Nov 2026 14:57:15 {zone}"
            assert Answer("http://cloud.example.org/", 200, {"Date": date}, b"").date() == 1795359435
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 14:57:15 GMT", "1795359435"])
def test_a_date_that_cannot_be_read_is_bad_data(date: str) -> None:
    answer = Answer("http://cloud.example.org/v2.1/", 200, {"Date": date} if date else {}, b"{}")
    with pytest.raises(RemoteDataError, match=r"cloud\.example\.org.*Date"):
        answer.date()


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", "application/json", "empty body"),
        (b"  \n", "application/json", "empty body"),
        (b"<html><body>Please log in</body></html>", "text/html; charset=utf-8", "text/html where JSON was due"),
        (b'{"servers": [{"id": ', "application/json", "JSON that cannot be read"),
        (b"\xff\xfe\xfa", "application/json", "JSON that cannot be read"),
        (b"[" * 100_000, "application/json", "JSON that cannot be read"),
    ],
)
def test_what_is_not_json_is_bad_data(server: Server, client: Client, body: bytes, kind: str, words: str) -> None:
    server.replies["/a"] = lambda h: h.say(200, body, kind)
    with pytest.raises(RemoteDataError, match=words):
        client.get(server.url("/a")).json()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_peer_that_recovers_is_asked_again(server: Server, client: Client, status: int) -> None:
    server.replies["/a"] = after(2, lambda h: h.say(status, b"{}"), well)
    assert client.get(server.url("/a")).json() == {"fine": True}
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_peer_that_stays_out_of_service_is_unreachable(server: Server, client: Client, status: int) -> None:
    server.replies["/a"] = lambda h: h.say(status, b'{"computeFault": {"message": "neutron is gone"}}')
    with pytest.raises(UnreachableError, match=f"127.0.0.1.* answered {status}: neutron is gone"):
        client.get(server.url("/a"))
    assert len(server.seen) == 4


def test_retry_after_is_obeyed(server: Server, client: Client) -> None:
    server.replies["/a"] = after(1, lambda h: h.say(503, b"{}", Retry_After="1"), well)
    began = time.monotonic()
    client.get(server.url("/a"))
    assert 1.0 <= time.monotonic() - began < 3


def test_a_retry_after_beyond_the_deadline_is_not_waited_for(server: Server, client: Client) -> None:
    server.replies["/a"] = lambda h: h.say(503, b"{}", Retry_After="3600")
    began = time.monotonic()
    with pytest.raises(UnreachableError):
        client.get(server.url("/a"))
    assert time.monotonic() - began < 1
    assert len(server.seen) == 1


def test_a_change_is_not_repeated_when_nobody_knows_what_was_done(server: Server, client: Client) -> None:
    server.replies["/a"] = after(1, lambda h: h.say(500, b"{}"), well)
    server.replies["/b"] = after(1, drop, well)
    for path in ("/a", "/b"):
        server.seen.clear()
        with pytest.raises(AgentError):
            client.request("POST", server.url(path), body=b"{}")
        assert len(server.seen) == 1


def test_a_change_that_was_not_taken_is_repeated(server: Server, client: Client) -> None:
    server.replies["/a"] = after(1, lambda h: h.say(503, b"{}"), well)
    assert client.request("POST", server.url("/a"), body=b"{}").status == 200


def test_a_login_may_be_repeated(server: Server) -> None:
    server.replies["/v3/auth/tokens"] = after(1, lambda h: h.say(502, b""), well)
    client = Client(Bounds(backoff=0.01), harmless=("/auth/tokens",))
    assert client.request("POST", server.url("/v3/auth/tokens"), body=b"{}").status == 200
    client.close()


def test_a_dropped_connection_is_tried_again(server: Server, client: Client) -> None:
    server.replies["/a"] = after(2, drop, well)
    assert client.get(server.url("/a")).json() == {"fine": True}


def test_nobody_listening_is_unreachable_and_named(client: Client) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}.*refused"):
            client.get(f"http://127.0.0.1:{port}/")


def test_an_answer_cut_short_is_bad_data(server: Server, client: Client) -> None:
    def cut(handler: Handler) -> None:
        handler.say(200, b'{"servers": []', Content_Length="5000")
        drop(handler)

    server.replies["/a"] = cut
    with pytest.raises(RemoteDataError, match="broke off its answer"):
        client.get(server.url("/a"))
    server.replies["/a"] = after(1, cut, well)
    assert client.get(server.url("/a")).json() == {"fine": True}


def test_chunks_are_put_together_and_their_end_is_checked(server: Server, client: Client) -> None:
    def chunks(handler: Handler, end: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b'5\r\n{"a":\r\n3\r\n 1}\r\n' + end)
        handler.wfile.flush()
        if not end:
            drop(handler)

    server.replies["/whole"] = lambda h: chunks(h, b"0\r\n\r\n")
    server.replies["/cut"] = lambda h: chunks(h, b"")
    assert client.get(server.url("/whole")).json() == {"a": 1}
    assert client.get(server.url("/whole")).json() == {"a": 1}
    with pytest.raises(RemoteDataError, match="broke off"):
        client.get(server.url("/cut"))


def test_a_huge_answer_is_not_read(server: Server, client: Client) -> None:
    sent = [0]

    def flood(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(10_000):
            handler.wfile.write(b" " * 100_000)
            sent[0] += 100_000

    server.replies["/a"] = flood
    with pytest.raises(RemoteDataError, match="more than 100000 bytes"):
        client.get(server.url("/a"))
    assert sent[0] < 50_000_000


def test_silence_ends_at_the_timeout(server: Server) -> None:
    client = Client(Bounds(timeout=0.3, deadline=5, retries=0))
    done = threading.Event()
    server.replies["/a"] = lambda h: done.wait(5) or None
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="did not answer within"):
        client.get(server.url("/a"))
    assert time.monotonic() - began < 2
    done.set()
    client.close()


def test_a_drip_ends_at_the_deadline(server: Server) -> None:
    client = Client(Bounds(timeout=2, deadline=0.6, retries=3, backoff=0.01))

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)

    server.replies["/a"] = drip
    began = time.monotonic()
    with pytest.raises(UnreachableError, match="took more than"):
        client.get(server.url("/a"))
    assert time.monotonic() - began < 2
    client.close()


def test_redirects_stay_on_the_host(server: Server, client: Client) -> None:
    server.replies["/a"] = lambda h: h.say(302, b"", Location="/b")
    server.replies["/b"] = well
    server.replies["/away"] = lambda h: h.say(302, b"", Location="http://localhost:1/b")
    server.replies["/tls"] = lambda h: h.say(301, b"", Location=server.url("/b").replace("http:", "https:"))
    server.replies["/round"] = lambda h: h.say(307, b"", Location="/round")
    assert client.get(server.url("/a")).json() == {"fine": True}
    for path in ("/away", "/tls"):
        with pytest.raises(RemoteDataError, match="where we do not follow"):
            client.get(server.url(path))
    with pytest.raises(RemoteDataError, match="answered 307"):
        client.get(server.url("/round"))
    with pytest.raises(RemoteDataError, match="where we do not follow"):
        client.request("POST", server.url("/a"), body=b"secret")


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RemoteDataError), (401, RefusedError), (403, RefusedError), (404, RemoteDataError)]
)
def test_a_status_becomes_an_error_with_the_peers_words(
    server: Server, client: Client, status: int, kind: type[AgentError]
) -> None:
    body = json.dumps({"forbidden": {"code": status, "message": "Policy does not\nallow <b>this</b>"}}).encode()
    server.replies["/a"] = lambda h: h.say(status, body)
    with pytest.raises(kind, match=f"answered {status}: Policy does not allow this"):
        client.get(server.url("/a"))
    assert client.get(server.url("/a"), accept=(200, status)).status == status
    assert len(server.seen) == 2


class Token:
    """A credential that counts how often it was renewed."""

    def __init__(self) -> None:
        self.number = 0

    def headers(self) -> Mapping[str, str]:
        return {"X-Auth-Token": str(self.number)}

    def renew(self, used: Mapping[str, str]) -> None:
        assert used == self.headers()
        self.number += 1


def test_a_401_is_met_with_one_new_login(server: Server, client: Client) -> None:
    server.replies["/a"] = lambda h: well(h) if h.headers["X-Auth-Token"] == "1" else h.say(401, b"{}")
    token = Token()
    assert client.get(server.url("/a"), credential=token).json() == {"fine": True}
    assert token.number == 1
    server.replies["/a"] = lambda h: h.say(401, b"{}")
    with pytest.raises(RefusedError):
        client.get(server.url("/a"), credential=token)
    assert token.number == 2


def test_cookies_and_netrc_are_left_alone(
    server: Server, client: Client, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.replies["/a"] = lambda h: h.say(200, b"{}", Set_Cookie="a=b; Path=/")
    client.get(server.url("/a"))
    client.get(server.url("/a"))
    for _, _, headers in server.seen:
        assert "Cookie" not in headers
        assert "Authorization" not in headers


def test_a_message_never_shows_the_query(server: Server, client: Client) -> None:
    server.replies["/a"] = lambda h: h.say(404, b"{}")
    with pytest.raises(RemoteDataError) as caught:
        client.get(server.url("/a"), params={"key": "hush"})
    assert "hush" not in str(caught.value)
