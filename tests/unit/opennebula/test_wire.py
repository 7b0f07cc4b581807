"""Calls against a server that answers what it is told: recorded answers, failures, silence."""

from __future__ import annotations

import base64
import logging
import re
import xmlrpc.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Dict, Iterator, List, Tuple, Union

import pytest

from fedcloud_agent.clock import now
from fedcloud_agent.errors import AgentError, RefusedError, RemoteDataError, UnreachableError
from fedcloud_agent.http import Bounds, Client, FailedError, SlowError
from fedcloud_agent.settings import Secret
from fedcloud_plugins.opennebula.connection import Connection
from fedcloud_plugins.opennebula.login import Login
from fedcloud_plugins.opennebula.settings import AuthSettings, OpenNebulaSettings, ProxySettings
from fedcloud_plugins.opennebula.wire import Wire
from fedcloud_plugins.opennebula.xmlrpc import LoginRefusedError

RECORDED = Path(__file__).resolve().parents[2] / "data" / "opennebula" / "wire"
VERSION = (RECORDED / "system.version.xml").read_bytes()
WRONG = (RECORDED / "system.version-wrong-password.xml").read_bytes()
UNKNOWN = (RECORDED / "unknown-method-fault.xml").read_bytes()
NO_LEADER = WRONG.replace(b"User couldn't be authenticated, aborting call.", b"No leader").replace(b"256", b"8192")
PASSWORD = "s3cret-of-oned"

Reply = Union[bytes, Tuple[int, bytes]]


class Oned(ThreadingHTTPServer):
    """Answers one call after the other with what it was given; the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: List[Reply] = []
        self.calls: List[Tuple[str, Tuple[Any, ...]]] = []
        self.headers: List[Dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/RPC2"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Oned

    def do_POST(self) -> None:  # noqa: N802 -- the name that http.server calls
        arguments, method = xmlrpc.client.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((str(method), arguments))
        self.server.headers.append(dict(self.headers))
        reply = self.server.replies[min(len(self.server.calls), len(self.server.replies)) - 1]
        status, body = reply if isinstance(reply, tuple) else (200, reply)
        if status == 0:
            return  # the connection is closed without an answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture()
def oned() -> Iterator[Oned]:
    server = Oned()
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def auth(directory: Path, **changes: Any) -> AuthSettings:
    path = directory / "secret"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return AuthSettings(**{"username": "accounting", "password_file": Secret(str(path)), **changes})


def wire(oned: Oned, directory: Path, **changes: Any) -> Wire:
    bounds = Bounds(timeout=10, deadline=20, backoff=0.01)
    return Wire(Client(bounds), bounds, oned.url, Login(auth(directory, **changes)), 60, {})


def test_a_call_carries_the_session_and_leaves_no_connection_open(oned: Oned, tmp_path: Path) -> None:
    oned.replies = [VERSION]
    line = wire(oned, tmp_path)
    assert line.value("one.system.version") == "6.10.5"
    assert oned.calls == [("one.system.version", (f"accounting:{PASSWORD}",))]
    assert oned.headers[0]["Connection"] == "close"
    assert oned.headers[0]["Content-Type"] == "text/xml"
    assert abs(line.clock.date - now()) <= 2 and abs(line.clock.offset) <= 2
    assert (line.calls, line.size) == (1, len(VERSION))


@pytest.mark.parametrize(
    "trouble",
    [NO_LEADER, (0, b""), (502, b"<html>Bad Gateway</html>"), VERSION[:200]],
    ids=["no leader", "reset", "502", "cut off"],
)
def test_what_passes_is_asked_again(oned: Oned, tmp_path: Path, trouble: Reply) -> None:
    oned.replies = [trouble, trouble, VERSION]
    assert wire(oned, tmp_path).value("one.system.version") == "6.10.5"
    assert len(oned.calls) == 3


@pytest.mark.parametrize(
    ("trouble", "kind", "calls"),
    [
        (NO_LEADER, UnreachableError, 3),
        ((502, b"<html><h1>Bad Gateway</h1></html>"), UnreachableError, 3),
        ((500, b"<HTML>Memory block too large</HTML>"), FailedError, 1),
        ((404, b"<HTML>elsewhere</HTML>"), RemoteDataError, 1),
        (b"<html>Please log in</html>", RemoteDataError, 1),
        (VERSION[:200], RemoteDataError, 3),
        (WRONG, LoginRefusedError, 1),
    ],
    ids=["no leader", "502", "too large", "404", "login page", "cut off", "wrong password"],
)
def test_what_lasts_is_an_error_without_the_secret(
    oned: Oned, tmp_path: Path, caplog: pytest.LogCaptureFixture, trouble: Reply, kind: type, calls: int
) -> None:
    oned.replies = [trouble]
    caplog.set_level(logging.DEBUG)
    with pytest.raises(kind) as error:
        wire(oned, tmp_path).value("one.system.version")
    assert len(oned.calls) == calls
    assert PASSWORD not in caplog.text + repr(error.value) + str(getattr(error.value, "hint", ""))


def test_a_token_that_has_ended_is_made_anew_once(oned: Oned, tmp_path: Path) -> None:
    oned.replies = [VERSION, WRONG, VERSION, WRONG]
    line = wire(oned, tmp_path, auth_type="server_cipher", target="reader")
    line.value("one.system.version")
    assert line.value("one.system.version") == "6.10.5"
    with pytest.raises(LoginRefusedError):
        line.value("one.system.version")
    assert len(oned.calls) == 5
    assert all(arguments[0].startswith("accounting:reader:") for _, arguments in oned.calls)


def test_all_calls_together_have_a_deadline(oned: Oned, tmp_path: Path) -> None:
    oned.replies = [VERSION]
    bounds = Bounds(timeout=10, deadline=20)
    line = Wire(Client(bounds), bounds, oned.url, Login(auth(tmp_path)), -1, {})
    with pytest.raises(SlowError, match="was not read to its end"):
        line.value("one.system.version")
    assert oned.calls == []


def connection(oned: Oned, directory: Path, **changes: Any) -> Connection:
    settings = OpenNebulaSettings(endpoint=oned.url, **{"auth": auth(directory), **changes})
    made = Connection("main", settings)
    made.wire._bounds = Bounds(backoff=0.01)
    return made


def test_an_oned_that_does_not_know_the_question_is_the_oldest(oned: Oned, tmp_path: Path) -> None:
    oned.replies = [UNKNOWN]
    assert connection(oned, tmp_path).dialect().version == (3, 2, 0)


def test_each_derivation_of_the_cipher_is_tried(oned: Oned, tmp_path: Path) -> None:
    oned.replies = [WRONG]
    opened = connection(oned, tmp_path, auth=auth(tmp_path, auth_type="server_cipher", target="reader"))
    with pytest.raises(LoginRefusedError):
        opened.dialect()
    assert len(oned.calls) == 3 * 2  # each was made anew once
    assert len({arguments[0] for _, arguments in oned.calls[::2]}) == 3
    oned.replies, oned.calls = [WRONG, WRONG, VERSION], []
    assert opened.dialect().version == (6, 10, 5)
    assert opened.login.cipher.digest == "sha256" and not opened.login.cipher.own_iv


def test_a_front_end_gets_its_own_login(oned: Oned, tmp_path: Path) -> None:
    (tmp_path / "front").write_text("fr0nt\n")
    (tmp_path / "front").chmod(0o600)
    oned.replies = [VERSION]
    proxy = ProxySettings(username="site", password_file=Secret(str(tmp_path / "front")))
    connection(oned, tmp_path, proxy=proxy).dialect()
    kind, _, proof = oned.headers[0]["Authorization"].partition(" ")
    assert (kind, base64.b64decode(proof)) == ("Basic", b"site:fr0nt")


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


@pytest.mark.parametrize(
    ("names", "view"),
    [(["user.info_-1-oneadmin.xml"], "oneadmin"), (["user.info_-1-accounting-user.xml", "acl.info.xml"], "rule")],
)
def test_who_sees_everything_is_let_in(oned: Oned, tmp_path: Path, names: List[str], view: str) -> None:
    oned.replies = [VERSION, *map(recorded, names)]
    assert view in connection(oned, tmp_path).check_rights()


REFUSED = recorded("vm.info-of-other-group-as-plain-user.xml")


@pytest.mark.parametrize("rules", [recorded("acl.info.xml"), REFUSED], ids=["no rule", "not told"])
def test_who_may_not_or_may_but_cannot_tell_is_refused_with_the_rule_to_add(
    oned: Oned, tmp_path: Path, rules: bytes
) -> None:
    oned.replies = [VERSION, recorded("user.info_-1-plain-user.xml"), rules, UNKNOWN]
    with pytest.raises(RefusedError) as error:
        connection(oned, tmp_path).check_rights()
    assert re.search(r'oneacl create "#7 VM\+.*USE \*"', str(error.value.hint))
    assert isinstance(error.value, AgentError) and error.value.exit_code == 77


def test_a_word_that_the_rule_is_there_is_tried(oned: Oned, tmp_path: Path) -> None:
    empty = recorded("vmpool.info_-2_1000_1499_-2-empty.xml")
    start = [VERSION, recorded("user.info_-1-plain-user.xml"), REFUSED, empty, empty]
    oned.replies = [*start, recorded("vm.info-missing.xml")]
    assert "your word" in connection(oned, tmp_path, rights="granted").check_rights()
    oned.replies, oned.calls = [*start, REFUSED], []
    with pytest.raises(RefusedError, match="may not see machine"):
        connection(oned, tmp_path, rights="granted").check_rights()
