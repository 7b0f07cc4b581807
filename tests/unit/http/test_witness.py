"""Who looks on at the HTTP door sees what went over the wire, and is asked nowhere else."""

from __future__ import annotations

from typing import Any, List, Optional

import pytest

from fedcloud_agent.errors import AgentError, RemoteDataError, StorageError, UnreachableError
from fedcloud_agent.http import Client
from fedcloud_agent.http.witness import Headers, Sent, observed, witnessed
from tests.unit.http.serving import Handler, Server


class Seen:
    def __init__(self, sent: Sent) -> None:
        self.sent = sent
        self.status: Optional[int] = None
        self.body = b""
        self.ends: List[Optional[AgentError]] = []

    def answered(self, status: int, headers: Headers) -> None:
        self.status = status

    def piece(self, data: bytes) -> None:
        self.body += data

    def ended(self, failure: Optional[AgentError]) -> None:
        self.ends.append(failure)


class Book:
    def __init__(self) -> None:
        self.all: List[Seen] = []

    def __call__(self, sent: Sent) -> Seen:
        self.all.append(Seen(sent))
        return self.all[-1]


def test_every_attempt_is_seen_with_its_body(server: Server, client: Client) -> None:
    answers = [lambda h: h.say(503, b"later", Retry_After="0"), lambda h: h.say(200, b'{"a": 1}')]
    server.replies["/x"] = lambda handler: answers.pop(0)(handler)
    book = Book()
    with observed(book):
        assert client.request("POST", server.url("/x?y=1"), body=b"asked", headers={"X-A": "b"}).json() == {"a": 1}
    assert [(one.status, one.body, one.ends) for one in book.all] == [
        (503, b"later", [None]),
        (200, b'{"a": 1}', [None]),
    ]
    sent = book.all[1].sent
    assert (sent.method, sent.url, sent.body) == ("POST", server.url("/x?y=1"), b"asked")
    assert ("X-A", "b") in sent.headers


def cut(handler: Handler) -> None:
    handler.close_connection = True
    handler.say(200, b"half", Content_Length="100")


def test_what_breaks_off_and_what_never_answers_is_seen(server: Server, client: Client) -> None:
    server.replies["/cut"] = cut
    book = Book()
    with observed(book):
        with pytest.raises(RemoteDataError):
            client.request("POST", server.url("/cut"))
        with pytest.raises(UnreachableError):
            client.request("POST", "http://127.0.0.1:1/")
    half, nothing = book.all[0], book.all[-1]
    assert (half.status, half.body, len(half.ends)) == (200, b"half", 1) and isinstance(half.ends[0], RemoteDataError)
    assert (nothing.status, len(nothing.ends)) == (None, 1) and isinstance(nothing.ends[0], UnreachableError)


def test_nobody_is_told_before_and_after(server: Server, client: Client) -> None:
    server.replies["/x"] = lambda handler: handler.say(200, b"{}")
    book = Book()
    client.get(server.url("/x"))
    with observed(book):
        client.get(server.url("/x"))
    client.get(server.url("/x"))
    assert len(book.all) == 1


def test_there_is_one_observer(server: Server) -> None:
    with observed(Book()), pytest.raises(ValueError, match="already"), observed(Book()):
        pass
    with observed(Book()):
        pass


def test_an_observer_that_cannot_go_on_fails_the_call(server: Server, client: Client) -> None:
    server.replies["/x"] = lambda handler: handler.say(200, b"{}")

    class Full(Seen):
        def piece(self, data: bytes) -> None:
            raise StorageError("the disk is full")

    with observed(Full), pytest.raises(StorageError):
        client.get(server.url("/x"))
    assert client.get(server.url("/x")).status == 200


def test_a_stream_that_is_given_up_is_told_as_broken_off() -> None:
    closed: List[Any] = []

    def pieces() -> Any:
        try:
            yield from (b"a", b"b")
        finally:
            closed.append(True)

    seen = Seen(Sent("GET", "http://localhost/", (), b""))
    stream = witnessed(pieces(), seen)
    assert next(stream) == b"a" and seen.ends == []
    stream.close()
    assert closed == [True] and seen.body == b"a"
    assert len(seen.ends) == 1 and isinstance(seen.ends[0], RemoteDataError)
