from __future__ import annotations

import socket

import pytest

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.infosys.slapd.addresses import Address, await_free, present, taken
from tests.federation.controller import free_port


def test_addresses_as_slapd_and_people_write_them() -> None:
    assert Address("::", 2170).url == "ldap://[::]:2170" and str(Address("0.0.0.0", 2170)) == "0.0.0.0:2170"
    assert Address("::", 2170).nearby == ("::1", 2170) and Address("0.0.0.0", 1).nearby == ("127.0.0.1", 1)
    assert Address("192.0.2.1", 1).nearby == ("192.0.2.1", 1)


def test_a_family_that_is_missing_is_left_out() -> None:
    port = free_port()
    assert present(["127.0.0.1", "2001:db8::1"], port) == [Address("127.0.0.1", port)]
    with pytest.raises(ConfigurationError, match=r"none of the addresses 192\.0\.2\.1, 2001:db8::1"):
        present(["192.0.2.1", "2001:db8::1"], port)


def test_who_listens_is_seen_and_who_has_left_is_not() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        here = Address("127.0.0.1", port)
        assert taken([Address("127.0.0.1", free_port()), here]) == here
        assert taken([Address("0.0.0.0", port)]) == Address("0.0.0.0", port)
        assert not await_free([here], 0.05)
        # a connection that has ended keeps the port busy for a while, but not for a server
        with socket.create_connection(("127.0.0.1", port)):
            guest, _ = server.accept()
            guest.close()
    assert await_free([here], 2) and taken([here]) is None
