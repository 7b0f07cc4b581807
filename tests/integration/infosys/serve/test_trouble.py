"""No tree, a port that is taken, a disk that is full, a schema that is broken: said in words, and nothing is fought."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

import pytest

from fedcloud_agent.infosys.slapd import foreign
from tests.federation.controller import free_port
from tests.integration.infosys.serve.agent import Serve, eventually
from tests.integration.infosys.serve.trees import tree
from tests.integration.infosys.slapd import SCHEMA, Directory, load, text_of
from tests.integration.test_faults_disk import AS_OTHERS


def refused(agent: Serve, code: int, *words: str) -> str:
    """Start it, see it refuse, and return what it said."""
    agent.prepare()
    done = subprocess.run(agent.command(), env=agent.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    assert agent.slapds() == []
    return done.stderr


def test_without_a_tree_nobody_is_served_until_there_is_one(agent: Serve) -> None:
    with agent:
        assert any("waiting for the first tree" in notice for notice in agent.notices)
        assert agent.said("there is no tree yet") and not agent.answers()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", agent.port), timeout=2)
        agent.keep("load-1", tree())
        eventually(agent.answers)
        assert len(agent.tree()) == len(tree())


class Talker:
    """A server that is not ours: it says something, or nothing, to whoever comes."""

    def __init__(self, words: bytes, hang_up: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self._listener.getsockname()[1]
        self._words, self._hang_up = words, hang_up
        self._guests: List[socket.socket] = []
        threading.Thread(target=self._talk, daemon=True).start()

    def _talk(self) -> None:
        while True:
            try:
                guest, _ = self._listener.accept()
            except OSError:
                return
            guest.sendall(self._words)
            if self._hang_up:
                guest.close()
            else:
                self._guests.append(guest)

    def close(self) -> None:
        # a listener in accept() in another thread goes only when it is shut down
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for guest in self._guests:
            guest.close()


@pytest.mark.parametrize(
    ("talker", "words"),
    [
        ((b"220 mail.example.org ESMTP\r\n", False), "does not speak LDAP"),
        ((b"\x30\x84\xff\xff\xff\xff", False), "does not speak LDAP"),
        ((b"", True), "does not answer"),
    ],
)
def test_a_server_that_is_none_of_ldap_is_named(agent: Serve, talker: Tuple[bytes, bool], words: str) -> None:
    agent.keep("load-1", tree())
    other = Talker(*talker)
    try:
        agent.port = other.port
        said = refused(agent, 75, f"127.0.0.1:{other.port} is taken by a server that {words}", "infosys.port")
        if os.geteuid() == 0:
            assert f"(process {os.getpid()})" in said
    finally:
        other.close()


def test_another_ldap_server_is_named_with_what_it_holds(agent: Serve, tmp_path: Path) -> None:
    agent.keep("load-1", tree())
    assert load(tmp_path, text_of(tree())).returncode == 0
    with Directory(tmp_path) as other:
        agent.port = other.port
        said = refused(agent, 75, "is taken by an LDAP server that holds o=glue", "bdii")
        assert "slapd (process" in said
        assert other.process is not None and other.process.poll() is None, "it was left alone"
        assert foreign.program_at(other.port) == f"slapd (process {other.process.pid})"


def test_a_port_that_is_taken_while_slapd_is_down_is_taken_back_when_it_is_free(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        pid = agent.serving.pid
        # nobody can be quicker than the agent: stop it while the place is taken
        assert agent.process is not None
        os.kill(agent.process.pid, 19)
        os.kill(pid, 9)
        other = eventually(lambda: _taken(agent.port))
        os.kill(agent.process.pid, 18)
        try:
            eventually(lambda: agent.said("slapd was not started again"))
            assert agent.said("is taken by a server that does not answer")
        finally:
            other.close()
        eventually(agent.answers, 60)


def _taken(port: int) -> Optional[socket.socket]:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


def test_a_schema_that_is_not_there(agent: Serve) -> None:
    agent.keep("load-1", tree())
    agent.settings["schema"] = "/nonexistent/GLUE20.schema"
    refused(agent, 78, "infosys.schema: there is no file /nonexistent/GLUE20.schema", "glue-schema")


def test_a_schema_that_slapd_does_not_understand(agent: Serve) -> None:
    agent.keep("load-1", tree())
    broken = agent.directory / "broken.schema"
    broken.write_text((SCHEMA / "GLUE20.schema").read_text().replace("attributetype (", "attributetype", 3))
    agent.settings["schema"] = str(broken)
    refused(agent, 74, "slapadd could not load o=glue", str(broken))


def test_a_slapd_that_is_not_there(agent: Serve) -> None:
    agent.keep("load-1", tree())
    agent.settings["slapd"] = "/nonexistent/slapd"
    refused(agent, 78, "infosys.slapd: there is no program /nonexistent/slapd", "openldap-servers")


def test_a_state_directory_that_is_not_ours(agent: Serve) -> None:
    agent.state.parent.mkdir(exist_ok=True)
    agent.state.write_text("a file")
    refused(agent, 73, str(agent.state), "cannot be made")


def test_a_state_directory_in_which_we_may_not_write(agent: Serve) -> None:
    agent.keep("load-1", tree())
    agent.before = AS_OTHERS
    place = agent.state / "infosys"
    place.chmod(0o555)
    refused(agent, 73, f"{place}/a cannot be made: Permission denied", "who owns")


def test_a_state_directory_with_too_long_a_name(agent: Serve) -> None:
    agent.state = agent.directory / ("s" * 100)
    refused(agent, 78, "too long for the name of a socket", "directories.state")


def test_addresses_that_no_machine_has(agent: Serve) -> None:
    agent.keep("load-1", tree())
    agent.settings["listen"] = ["2001:db8::1", "192.0.2.1"]
    refused(agent, 78, "this machine has none of the addresses 2001:db8::1, 192.0.2.1", "infosys.listen")


@pytest.fixture()
def small_disk(agent: Serve) -> Iterator[Path]:
    agent.state.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m,mode=0750", "tmpfs", str(agent.state)], capture_output=True
    )
    if mount.returncode != 0:
        pytest.skip("only root in a machine of its own may mount a file system")
    yield agent.state
    agent.stop()
    subprocess.run(["umount", str(agent.state)], check=True, timeout=30)


def test_a_full_disk(agent: Serve, small_disk: Path) -> None:
    agent.keep("load-1", tree(300))
    free = os.statvfs(small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (free.f_bavail * free.f_frsize - 100_000))
    said = refused(agent, 74, str(small_disk), "space")
    assert "No space left" in said
    assert not agent.sides["a"].path.exists(), "nothing half-made stays"
    ballast.unlink()
    with agent:
        free = os.statvfs(small_disk)
        ballast.write_bytes(b"\0" * (free.f_bavail * free.f_frsize - 150_000))
        pid = agent.serving.pid
        agent.kept.note({"wanted": "load-2"})
        eventually(lambda: agent.said("load load-2 cannot be served; the old tree stays"))
        assert agent.answers() and agent.serving.pid == pid and not agent.sides["b"].path.exists()


def test_a_kept_tree_that_is_damaged(agent: Serve) -> None:
    agent.keep("load-1", tree())
    agent.kept.path.write_bytes(b"no database" * 1000)
    agent.prepare()
    with agent:
        # it may be mended while we wait
        assert agent.said("cannot be used") and not agent.answers()
        agent.kept.path.unlink()
        agent.keep("load-1", tree())
        eventually(agent.answers)


def test_it_loads_nothing_that_only_others_need(agent: Serve) -> None:
    code = (
        "import sys\n"
        "from fedcloud_agent.cli.context import Context\n"
        "from fedcloud_agent.infosys.slapd.service import Service\n"
        "import fedcloud_agent.cli.infosys.serve\n"
        "Context(sys.argv[1], 0).load()\n"
        "print(*sys.modules)"
    )
    agent.configure()
    done = subprocess.run(
        [sys.executable, "-c", code, str(agent.directory / "etc")],
        env=agent.environment(), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    heavy = {"sqlalchemy", "alembic", "ldap", "requests", "cryptography", "keystoneauth1", "stomp", "apscheduler"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
