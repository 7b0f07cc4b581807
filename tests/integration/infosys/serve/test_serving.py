"""What readers, the agent and strangers may do with the server, and what it says of itself."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess

import pytest

from fedcloud_agent.infosys.entry import digest, tree_hash
from fedcloud_agent.infosys.slapd import serving, statistics
from fedcloud_agent.ldap import Add, Change, Delete, Directory, LdapError, Modify, NoSuchEntryError
from fedcloud_agent.ldap.greeting import naming_contexts
from tests.integration.infosys.serve.agent import DOMAIN, HOST, Serve, gone
from tests.integration.infosys.serve.trees import tree

NEW = Add("GLUE2GroupID=new,o=glue", {"objectClass": ("GLUE2Group",), "GLUE2GroupID": ("new",)})


def test_everybody_reads_the_tree_and_the_agent_alone_writes(agent: Serve) -> None:
    entries = tree()
    agent.keep("load-1", entries)
    with agent:
        assert tree_hash({one.dn: digest(one) for one in agent.tree()}) == tree_hash(
            {one.dn: digest(one) for one in entries}
        )
        modify = Modify(DOMAIN, (Change("GLUE2DomainDescription", ("changed",)),))
        with agent.anonymous() as stranger:
            refused = stranger.phase([NEW, modify, Delete(entries[-1].dn)])
            assert [one.code for one in refused] == [8, 8, 8]
            assert [one.operation for one in refused] == [NEW, modify, Delete(entries[-1].dn)]
        with agent.writer() as writer:
            assert writer.phase([NEW]) == []
            assert writer.phase([modify]) == []
            assert writer.phase([Delete(entries[-1].dn)]) == []
        after = {one.dn: one for one in agent.tree()}
        assert NEW.dn in after and entries[-1].dn not in after
        assert after[DOMAIN].first("GLUE2DomainDescription") == "changed"


def test_another_user_of_the_machine_cannot_write(agent: Serve) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    agent.keep("load-1", tree())
    with agent:
        # as if somebody had opened the directories that keep others from the socket
        for path in (agent.directory, agent.state, agent.state / "infosys", agent.sides["a"].path):
            path.chmod(0o755)
        agent.sides["a"].socket.chmod(0o777)
        ldif = f"dn: {DOMAIN}\nchangetype: delete\n"
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", "ldapmodify", "-Y", "EXTERNAL", "-H", agent.serving.ldapi],
            input=ldif,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 50 or "nsufficient access" in done.stderr, done.stderr
        assert DOMAIN in {one.dn for one in agent.tree()}


def test_clients_addresses_are_not_told_to_others(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        with agent.anonymous() as stranger, pytest.raises(LdapError):
            list(stranger.search("cn=Monitor"))
        with agent.writer() as writer:
            names = [one.dn for one in writer.search("cn=Connections,cn=Monitor", scope="onelevel")]
        assert names


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_families_are_answered(agent: Serve, host: str) -> None:
    agent.keep("load-1", tree())
    with agent, agent.anonymous(host) as directory:
        assert [one.dn for one in directory.search(DOMAIN, scope="base")] == [DOMAIN]


def test_a_missing_family_is_no_error(agent: Serve) -> None:
    # an address that no machine has stands for a family that this one lacks
    agent.keep("load-1", tree())
    agent.configure(listen=["127.0.0.1", "2001:db8::1"])
    with agent:
        assert agent.answers() and agent.said("this machine has no address 2001:db8::1")
        with pytest.raises(OSError):
            naming_contexts(("::1", agent.port), timeout=2)


def test_publishing_itself_is_told_beside_the_tree(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        with agent.anonymous() as directory:
            (root, figures) = directory.search("o=infosys", attributes=["*", "modifyTimestamp"])
        assert root.dn == "o=infosys" and figures.dn == f"Hostname={HOST},o=infosys"
        assert {figures.attributes[name] for name in statistics.COUNTS} == {("0",)}
        assert re.fullmatch(r"\d{14}Z", figures.attributes["modifyTimestamp"][0])
        with agent.writer() as writer:
            assert writer.phase([Modify(figures.dn, (Change("TotalEntries", ("12",)),))]) == []
        with agent.anonymous() as directory:
            (found,) = directory.search("o=infosys", filter="(TotalEntries>=12)")
        assert found.dn == figures.dn


def test_nothing_else_is_held(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        assert naming_contexts(("127.0.0.1", agent.port), timeout=5) == ("o=glue", "o=infosys")
        with agent.anonymous() as directory, pytest.raises(NoSuchEntryError) as caught:
            list(directory.search("GLUE2DomainID=OTHER,o=glue"))
        assert caught.value.exit_code == 65


def test_what_is_served_is_written_down(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        now = agent.serving
        assert now.pid in agent.slapds() and now.port == agent.port
        assert (now.directory, now.load, now.boot) == ("a", "load-1", serving.boot_id())
        with Directory(now.ldapi, external=True) as directory:
            assert [one.dn for one in directory.search("o=glue", scope="base")] == ["o=glue"]
        told = agent.notices[-1]
        assert "READY=1" in told and f"load load-1 is served on 127.0.0.1:{agent.port}, [::1]:{agent.port}" in told
    assert gone(now.pid) and not agent.answers()
    assert agent.said("nobody is served any more") == 1


def test_there_is_no_password_and_nobody_else_may_look_into_the_databases(agent: Serve) -> None:
    agent.keep("load-1", tree())
    with agent:
        side = agent.sides["a"]
        assert "rootpw" not in side.configuration.read_text()
        assert side.path.stat().st_mode & 0o077 == 0
        done = subprocess.run(
            ["slaptest", "-u", "-f", str(side.configuration)], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_many_readers_who_do_not_read_keep_nobody_from_an_answer(agent: Serve) -> None:
    # their answers are larger than what the kernel holds for somebody who does not read
    agent.keep("load-1", tree(8000))
    question = bytes.fromhex(
        "302b020101632604066f3d676c75650a01020a0100020100020100010100870b6f626a656374436c6173733000"
    )
    with agent, contextlib.ExitStack() as stalled:
        for _ in range(20):
            channel = stalled.enter_context(socket.socket())
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            channel.connect(("127.0.0.1", agent.port))
            channel.sendall(question)
        with agent.anonymous() as directory:
            assert sum(1 for _ in directory.search("o=glue", deadline=100)) > 8000
        first = agent.serving.pid
        assert agent.slapds() == [first] and not agent.said("does not answer")
