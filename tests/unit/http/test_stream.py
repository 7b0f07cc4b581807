"""An answer that is read as it comes, against a server that sends what it is told, byte by byte."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import Callable, Iterator, List

import pytest

from fedcloud_agent.errors import RefusedError, RemoteDataError
from fedcloud_agent.http import Bounds, Client, CutOffError, FailedError, LargeError, SlowError

Answer = Callable[[socket.socket], None]


@contextmanager
def serving(*answers: Answer) -> Iterator[str]:
    """Serve one connection after the other, each with the next answer; yield the URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                read_request(connection)
                try:
                    answer(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/RPC2"
    finally:
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    length = int(lengths[0])
    while len(body) < length:
        body += connection.recv(65536)
    return body


def said(body: bytes, status: str = "200 OK", length: int = -1) -> Answer:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length < 0 else length}\r\nConnection: close\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + body)


def client(**bounds: object) -> Client:
    return Client(Bounds(**{"timeout": 5, "deadline": 20, "backoff": 0.01, **bounds}))  # type: ignore[arg-type]


def read(url: str, **bounds: object) -> bytes:
    opened = client(**bounds)
    try:
        return b"".join(opened.stream("POST", url, headers={}, body=b"x").pieces)
    finally:
        opened.close()


def test_pieces_come_as_they_are_sent_and_nothing_is_waited_for() -> None:
    go_on = threading.Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 15:29:12 UTC\r\n\r\nfirst")
        assert go_on.wait(10)
        connection.sendall(b"second")

    with serving(slowly) as url:
        stream = client().stream("POST", url, headers={}, body=b"x")
        assert stream.head.status == 200
        assert stream.head.date() == 1795361352
        assert next(stream.pieces) == b"first"
        go_on.set()
        assert b"".join(stream.pieces) == b"second"


def test_the_next_call_works_after_one_that_was_read_and_one_that_was_given_up() -> None:
    with serving(said(b"a" * 200_000), said(b"b" * 5_000_000), said(b"c")) as url:
        opened = client()
        assert b"".join(opened.stream("POST", url, headers={}, body=b"x").pieces) == b"a" * 200_000
        pieces = opened.stream("POST", url, headers={}, body=b"x").pieces
        assert next(pieces).startswith(b"b")
        pieces.close()  # type: ignore[attr-defined]
        assert b"".join(opened.stream("POST", url, headers={}, body=b"x").pieces) == b"c"
        opened.close()


def test_what_is_cut_off_too_large_or_too_slow_says_so() -> None:
    with serving(said(b"half", length=8)) as url, pytest.raises(CutOffError, match="4 bytes before the end"):
        read(url)
    with serving(said(b"x" * 100_000)) as url, pytest.raises(LargeError, match="more than 50000 bytes"):
        read(url, size=50_000)
    with serving(lambda connection: time.sleep(1.5)) as url, pytest.raises(SlowError, match="did not answer"):
        read(url, timeout=0.5)

    def stops(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nbeginning")
        time.sleep(1.5)

    with serving(stops) as url, pytest.raises(SlowError, match="stopped in the middle"):
        read(url, timeout=0.5)

    def drips(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    with serving(drips) as url, pytest.raises(SlowError, match="took more than"):
        read(url, deadline=0.5)


def test_a_failure_is_an_error_with_its_status_and_is_not_repeated() -> None:
    page = b"<HTML><H1>Error 500</H1><P>Memory block too large</P></HTML>"
    answered: List[int] = []

    def once(connection: socket.socket) -> None:
        answered.append(1)
        said(page, "500 Internal Server Error")(connection)

    with serving(once, once) as url, pytest.raises(FailedError, match="Memory block too large") as error:
        read(url)
    assert (error.value.status, len(answered)) == (500, 1)


@pytest.mark.parametrize(
    ("status", "kind"), [("401 No", RefusedError), ("404 Not Found", RemoteDataError), ("302 Found", RemoteDataError)]
)
def test_any_other_status_is_no_stream(status: str, kind: type) -> None:
    with serving(said(b"no", status)) as url, pytest.raises(kind):
        read(url)


def test_a_busy_server_is_asked_again() -> None:
    with serving(said(b"", "503 Busy"), said(b"done")) as url:
        assert read(url) == b"done"
