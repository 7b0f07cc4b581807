"""The central repository's own STOMP: frames in pieces, escaped headers, a broker that says no."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Iterator, List, Tuple

import pytest

from tests.federation.central.wire import Link

GREETING = b"CONNECTED\nversion:1.1\n\n\0"


@contextlib.contextmanager
def broker(*pieces: bytes) -> Iterator[Tuple[Tuple[str, int], List[bytes]]]:
    """Listen for one client: read its greeting, then say the pieces, each in a packet of its own; keep what it says."""
    heard: List[bytes] = []

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.settimeout(10)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            heard.append(client.recv(4096))
            for piece in pieces:
                client.sendall(piece)
            while heard[-1]:
                heard.append(client.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname(), heard
        thread.join(10)
        assert not thread.is_alive()


def test_frames_arrive_in_pieces_and_several_at_once() -> None:
    sized = b"MESSAGE\nempa-id:a\\cb\\nc\\\\d\ncontent-length:3\n\nx\0y\0\n"
    frames = sized + b"\nRECEIPT\nreceipt-id:1\nreceipt-id:2\n\nbody\0"
    with broker(GREETING, *(frames[n : n + 1] for n in range(len(frames)))) as (address, _), Link(address) as link:
        first = link.await_frame("MESSAGE")
        assert (first.headers["empa-id"], first.body) == ("a:b\nc\\d", b"x\0y")
        second = link.await_frame("RECEIPT")
        assert (second.headers, second.body) == ({"receipt-id": "1"}, b"body")
        assert link.receive(0.05) is None


def test_what_is_sent_is_escaped_and_sized() -> None:
    with broker(GREETING) as (address, heard), Link(address) as link:
        link.send("SEND", {"empa-id": "a:b\nc\\d"}, b"x\0y")
    said = b"".join(heard)
    assert said.startswith(b"STOMP\naccept-version:1.1\nhost:127.0.0.1\nheart-beat:0,0\n\n\0")
    assert said.endswith(b"SEND\nempa-id:a\\cb\\nc\\\\d\ncontent-length:3\n\nx\0y\0")


@pytest.mark.parametrize("answer", [b"ERROR\nmessage:no user\n\n\0", b""])
def test_broker_that_refuses_or_hangs_up_is_an_error(answer: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.recv(4096)
            client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener, pytest.raises(ConnectionError, match="no user|hung up"):
        Link(listener.getsockname())
    thread.join(10)
