from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.ldap.greeting import NotLdapError, naming_contexts


def made(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 128:
        return bytes((tag, len(content))) + content
    return bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content


def entry(*contexts: str) -> bytes:
    values = made(0x31, *(made(0x04, one.encode()) for one in contexts))
    return made(
        0x30, b"\x02\x01\x01", made(0x64, b"\x04\x00", made(0x30, made(0x30, made(4, b"namingContexts"), values)))
    )


DONE = made(0x30, b"\x02\x01\x01", made(0x65, b"\x0a\x01\x00\x04\x00\x04\x00"))


class Saying:
    """A socket that says the same to each guest: block by block, and then hangs up, or not."""

    def __init__(self, path: Path, blocks: List[bytes], stay: bool = False) -> None:
        self.path = str(path / "s")
        self._blocks, self._stay = blocks, stay
        self.heard = b""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()

    def __enter__(self) -> Saying:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self) -> None:
        try:
            guest, _ = self._listener.accept()
            with guest:
                self.heard = guest.recv(4096)
                for block in self._blocks:
                    guest.sendall(block)
                    time.sleep(0.005)
                if self._stay:
                    time.sleep(5)
        except OSError:
            pass

    def __exit__(self, *_: object) -> None:
        self._listener.close()


@pytest.mark.parametrize("contexts", [(), ("o=glue",), ("o=glue", "o=infosys"), ("o=" + "x" * 300, "o=\u00e9")])
def test_the_contexts_of_a_server_come_out(tmp_path: Path, contexts: Tuple[str, ...]) -> None:
    answer = entry(*contexts) + DONE
    with Saying(tmp_path, [answer[:7], answer[7:40], answer[40:]]) as server:
        assert naming_contexts(server.path, timeout=5) == contexts
    assert b"namingContexts" in server.heard


def test_a_server_that_lets_nobody_look_holds_nothing(tmp_path: Path) -> None:
    with Saying(tmp_path, [made(0x30, b"\x02\x01\x01", made(0x65, b"\x0a\x01\x32\x04\x00\x04\x00"))]) as server:
        assert naming_contexts(server.path, timeout=5) == ()


@pytest.mark.parametrize(
    "words",
    [
        b"220 ESMTP\r\n", b"\x30\x80\x00\x00", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00", b"\x30\x02\x02\x05",
        b"\x30\x04\x02\x01\x01\x64", made(0x30, b"\x02\x01\x01", made(0x64, b"\x04\x00\x30\x05\x30")),
        entry("o=glue")[:-3],
    ],
)  # fmt: skip
def test_what_is_no_ldap_is_told_apart(tmp_path: Path, words: bytes) -> None:
    with Saying(tmp_path, [words]) as server, pytest.raises(NotLdapError):
        naming_contexts(server.path, timeout=5)


def test_who_hangs_up_or_says_nothing_or_is_not_there(tmp_path: Path) -> None:
    with Saying(tmp_path, []) as server, pytest.raises(ConnectionResetError):
        naming_contexts(server.path, timeout=5)
    with pytest.raises(OSError):
        naming_contexts(str(tmp_path / "nobody"), timeout=5)
    (tmp_path / "silent").mkdir()
    began = time.monotonic()
    with Saying(tmp_path / "silent", [], stay=True) as server, pytest.raises(OSError):
        naming_contexts(server.path, timeout=0.3)
    assert time.monotonic() - began < 3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("g")


@given(words=st.binary(max_size=60) | st.binary(max_size=60).map(lambda one: made(0x30, b"\x02\x01\x01", one)))
def test_whatever_is_said_is_an_answer_or_one_of_two_errors(place: Path, words: bytes) -> None:
    (place / "s").unlink(missing_ok=True)
    with Saying(place, [words]) as server, contextlib.suppress(OSError, NotLdapError):
        naming_contexts(server.path, timeout=5)
