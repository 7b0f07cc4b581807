"""A directory is searched and changed: against a real slapd, and against servers that break off, hang or rave."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest

from fedcloud_agent.ldap import (
    Add,
    BusyDirectoryError,
    Change,
    Delete,
    Directory,
    Found,
    LdapError,
    Modify,
    NoSuchEntryError,
)
from fedcloud_agent.ldap.greeting import naming_contexts
from tests.federation.controller import Controller, free_port
from tests.integration.infosys.slapd import SCHEMA

pytestmark = pytest.mark.skipif(not Path("/usr/sbin/slapd").exists(), reason="the package slapd is not installed")

CONFIGURATION = """\
include {schema}/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
sizelimit unlimited
authz-regexp "^gidNumber=[0-9]+[+]uidNumber={uid},cn=peercred,cn=external,cn=auth$" "cn=writer,o=test"
database mdb
suffix o=test
rootdn cn=writer,o=test
directory {directory}/data
maxsize 268435456
dbnosync
limits users size=unlimited
{more}
"""


class Slapd(Controller):
    name = "slapd"
    more = ""

    def prepare(self) -> None:
        (self.directory / "data").mkdir(exist_ok=True)
        values = {"schema": SCHEMA, "directory": self.directory, "uid": os.geteuid(), "more": self.more}
        (self.directory / "slapd.conf").write_text(CONFIGURATION.format(**values))

    @property
    def ldapi(self) -> str:
        return f"ldapi://{str(self.directory / 's').replace('/', '%2F')}"

    def command(self) -> List[str]:
        urls = f"ldap://127.0.0.1:{self.port} {self.ldapi}"
        return ["/usr/sbin/slapd", "-f", str(self.directory / "slapd.conf"), "-h", urls, "-d", "0"]

    def writer(self, timeout: float = 10) -> Directory:
        return Directory(self.ldapi, external=True, timeout=timeout)

    def reader(self) -> Directory:
        return Directory(f"ldap://127.0.0.1:{self.port}", timeout=10)


@pytest.fixture()
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("d")) as server, server.writer() as writer:
        assert writer.phase([Add("o=test", {"objectClass": ("organization",), "o": ("test",)})]) == []
        yield server


def person(name: str, **more: Tuple[str, ...]) -> Add:
    return Add(f"cn={name},o=test", {"objectClass": ("person",), "cn": (name,), "sn": ("x",), **more})


def everybody(slapd: Slapd) -> List[Found]:
    with slapd.reader() as reader:
        return list(reader.search("o=test", filter="(objectClass=person)"))


def test_thousands_of_operations_go_out_in_a_row_and_come_back_as_they_were(slapd: Slapd) -> None:
    with slapd.writer() as writer:
        assert writer.phase(person(str(n), description=(f"one {n}", "two")) for n in range(3000)) == []
        found = {one.dn: one for one in everybody(slapd)}
        assert len(found) == 3000
        assert found["cn=17,o=test"].attributes == person("17", description=("one 17", "two")).attributes
        changes = (Change("description", ("three",)), Change("sn", ("y", "z")))
        assert writer.phase(Modify(f"cn={n},o=test", changes) for n in range(3000)) == []
        assert {one.attributes["description"] for one in everybody(slapd)} == {("three",)}
        assert writer.phase(Modify(f"cn={n},o=test", (Change("description", ()),)) for n in range(3000)) == []
        assert not any("description" in one.attributes for one in everybody(slapd))
        assert writer.phase(Delete(f"cn={n},o=test") for n in range(3000)) == []
        assert everybody(slapd) == []


def test_order_of_attributes_and_values_is_the_servers(slapd: Slapd) -> None:
    entry = {"objectClass": ("person",), "sn": ("b", "a"), "description": ("2", "1"), "cn": ("x",)}
    with slapd.writer() as writer:
        assert writer.phase([Add("cn=x,o=test", entry)]) == []
    (found,) = everybody(slapd)
    assert list(found.attributes.items()) == list(entry.items())
    with slapd.writer() as writer:
        assert writer.phase([Modify("cn=x,o=test", (Change("sn", ("c",)),))]) == []
    assert list(everybody(slapd)[0].attributes)[-1] == "sn", "what is replaced moves to the end"


def test_each_refusal_is_told_with_its_operation_and_the_others_are_done(slapd: Slapd) -> None:
    wrong = [
        (person("known"), 68),
        (Add("cn=no,cn=parent,o=test", {"objectClass": ("person",), "cn": ("no",), "sn": ("x",)}), 32),
        (Add("cn=poor,o=test", {"objectClass": ("person",), "cn": ("poor",)}), 65),
        (Add("cn=odd,o=test", {"objectClass": ("person",), "cn": ("odd",), "sn": ("x",), "nope": ("1",)}), 17),
        (Modify("cn=nobody,o=test", (Change("sn", ("y",)),)), 32),
        (Delete("o=test"), 66),
        (Delete("no dn at all"), 34),
        (Delete("cn=\udcff,o=test"), 34),
        (Delete("cn=\0,o=test"), 34),
    ]
    with slapd.writer() as writer:
        assert writer.phase([person("known")]) == []
        good = [person(str(n)) for n in range(200)]
        mixed = [*good[:70], *(operation for operation, _ in wrong), *good[70:]]
        refused = writer.phase(mixed)
    assert [(one.operation, one.code) for one in refused if one.message.startswith("it cannot")] == wrong[-2:]
    assert sorted(map(repr, ((one.operation, one.code) for one in refused))) == sorted(map(repr, wrong))
    assert all(one.message and "\n" not in one.message for one in refused)
    assert len(everybody(slapd)) == 201


def test_what_is_no_text_survives(tmp_path: Path, slapd: Slapd) -> None:
    odd = b"caf\xe9 \xff".decode("utf-8", "surrogateescape")
    with slapd.writer() as writer:
        # a value of any bytes: userPassword is one of the few that are not text
        assert writer.phase([person("odd", userPassword=(odd, "caf\u00e9"))]) == []
        (found,) = writer.search("o=test", filter="(cn=odd)")
    assert sorted(found.attributes["userPassword"]) == sorted((odd, "caf\u00e9"))


def test_a_search_gives_what_was_asked_for(slapd: Slapd) -> None:
    with slapd.writer() as writer:
        assert writer.phase([person("a"), person("b")]) == []
    with slapd.reader() as reader:
        assert [one.dn for one in reader.search("o=test", scope="base")] == ["o=test"]
        assert [one.dn for one in reader.search("o=test", scope="onelevel")] == ["cn=a,o=test", "cn=b,o=test"]
        assert [list(one.attributes) for one in reader.search("o=test", filter="(cn=a)", attributes=["sn"])] == [["sn"]]
        assert [one.attributes for one in reader.search("cn=a,o=test", attributes=["1.1"])] == [{}]
        with pytest.raises(NoSuchEntryError, match=r"did not search o=else.*No such object.*result 32"):
            list(reader.search("o=else"))
        with pytest.raises(LdapError, match="filter"):
            list(reader.search("o=test", filter="(((nonsense"))
        # after an error that the server told, and after an answer that nobody wanted to the end
        next(reader.search("o=test"))
        assert len(list(reader.search("o=test"))) == 3


def test_an_answer_cut_by_a_limit_is_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Slapd(tmp_path_factory.mktemp("d"))
    server.more = "limits anonymous size=10"
    with server:
        with server.writer() as writer:
            assert writer.phase([Add("o=test", {"objectClass": ("organization",), "o": ("test",)})]) == []
            assert writer.phase(person(str(n)) for n in range(20)) == []
        with server.reader() as reader, pytest.raises(BusyDirectoryError) as caught:
            list(reader.search("o=test"))
        assert caught.value.exit_code == 75 and "result 4" in caught.value.message


def test_a_server_that_stops_in_the_middle_ends_in_an_error_in_time(slapd: Slapd) -> None:
    assert slapd.process is not None
    began = time.monotonic()
    with slapd.writer(timeout=1) as writer:

        def operations() -> Iterator[Add]:
            for number in range(5000):
                if number == 500:
                    os.kill(slapd.process.pid, signal.SIGSTOP)  # type: ignore[union-attr]
                # so large that they do not all fit into what the kernel holds for a server that does not read
                yield person(str(number), description=("x" * 20_000,))

        with pytest.raises(LdapError, match="does not answer|cannot be reached") as caught:
            writer.phase(operations())
    assert time.monotonic() - began < 15 and caught.value.exit_code == 69
    os.kill(slapd.process.pid, signal.SIGCONT)


def test_a_server_that_dies_in_the_middle_ends_in_an_error(slapd: Slapd) -> None:
    def operations() -> Iterator[Add]:
        for number in range(100_000):
            if number == 300:
                slapd.kill()
            yield person(str(number))

    with slapd.writer() as writer, pytest.raises(LdapError, match="broke off"):
        writer.phase(operations())
    with pytest.raises(LdapError, match="cannot be reached"), slapd.reader():
        pass


def test_a_search_has_a_deadline_however_alive_the_server_is(slapd: Slapd) -> None:
    with slapd.writer() as writer:
        assert writer.phase(person(str(n)) for n in range(500)) == []
    with slapd.reader() as reader, pytest.raises(BusyDirectoryError, match="too slow"):
        for _ in reader.search("o=test", deadline=0.3):
            time.sleep(0.01)


class Odd:
    """A server on loopback that does to each guest what it is told."""

    def __init__(self, act: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self._listener.getsockname()[1]
        self._act = act
        self._guests: List[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                guest, _ = self._listener.accept()
            except OSError:
                return
            self._guests.append(guest)
            threading.Thread(target=self._one, args=(guest,), daemon=True).start()

    def _one(self, guest: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._act(guest)

    def __enter__(self) -> Odd:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for guest in self._guests:
            guest.close()


BOUND = bytes.fromhex("300c02010161070a010004000400")
"""The answer to the first bind: success."""


def trickle(guest: socket.socket) -> None:
    guest.recv(100)
    for byte in b"\x30\x84\x00\x00\xff\xff" + b"\0" * 600:
        guest.send(bytes([byte]))
        time.sleep(0.05)


ACTS = {
    "silence": lambda guest: time.sleep(30),
    "hangs up": lambda guest: guest.close(),
    "speaks HTTP": lambda guest: guest.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "raves": lambda guest: guest.sendall(os.urandom(5000)),
    "trickles": trickle,
    "half an answer": lambda guest: (guest.recv(100), guest.sendall(BOUND[:5]), time.sleep(30)),
    "never searches": lambda guest: (guest.recv(100), guest.sendall(BOUND), time.sleep(30)),
    "raves after the bind": lambda guest: (
        guest.recv(100),
        guest.sendall(BOUND),
        guest.recv(100),
        guest.sendall(b"\x30" * 5000),
    ),
    "hangs up after the bind": lambda guest: (guest.recv(100), guest.sendall(BOUND), guest.recv(100), guest.close()),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("what", ["search", "phase"])
def test_an_odd_server_ends_in_an_error_in_time(act: str, what: str) -> None:
    began = time.monotonic()
    with Odd(ACTS[act]) as odd:  # type: ignore[arg-type]
        directory = Directory(f"ldap://127.0.0.1:{odd.port}", timeout=1)
        with pytest.raises(LdapError) as caught, directory:
            if what == "search":
                list(directory.search("o=test", deadline=3))
            else:
                directory.phase([person("a")], deadline=3)
    assert caught.value.exit_code in (69, 75), caught.value.message
    assert f"ldap://127.0.0.1:{odd.port}" in caught.value.message
    assert time.monotonic() - began < 8


def test_nobody_there() -> None:
    with pytest.raises(LdapError, match="cannot be reached") as caught, Directory(f"ldap://127.0.0.1:{free_port()}"):
        pass
    assert caught.value.exit_code == 69
    with pytest.raises(LdapError, match="nonsense"), Directory("nonsense://x"):
        pass


def test_whoever_is_nobody_to_the_socket_is_not_let_in(slapd: Slapd) -> None:
    with Directory(slapd.ldapi) as anonymous:
        (refused,) = anonymous.phase([person("a")])
    assert refused.code == 8


def test_a_real_server_greets(slapd: Slapd) -> None:
    assert naming_contexts(("127.0.0.1", slapd.port), timeout=5) == ("o=test",)
    assert naming_contexts(str(slapd.directory / "s"), timeout=5) == ("o=test",)
