"""The endpoint that is published, and those that nobody could use."""

from __future__ import annotations

import pytest

from fedcloud_agent.clouds.offer import Endpoint
from fedcloud_plugins.opennebula.description.door import door_of
from fedcloud_plugins.opennebula.description.settings import PublicSettings

URL = "https://one.example.org:2633/RPC2"


def test_without_another_it_is_that_of_the_agent() -> None:
    endpoint, problems = door_of(URL, "OpenNebula", "6.10.5", "6.10.5", None)
    assert endpoint == Endpoint(
        URL, "OpenNebula", "6.10.5", implementation="OpenNebula", implementation_version="6.10.5"
    )
    assert problems == ()


def test_the_public_one() -> None:
    occi = PublicSettings(
        "https://occi.example.org:11443", "OCCI", "1.1", "rOCCI-server", "1.1.9", authentication=("voms",)
    )
    endpoint, problems = door_of("http://127.0.0.1:2633/RPC2", "OpenNebula", "5.4.15", "5.4.15", occi)
    assert endpoint == Endpoint(
        "https://occi.example.org:11443",
        "OCCI",
        "1.1",
        implementation="rOCCI-server",
        implementation_version="1.1.9",
        authentication=("voms",),
    )
    assert problems == ()
    # the version of oned is not that of the server in front of it
    bare, _ = door_of(URL, "OpenNebula", "5.4.15", "5.4.15", PublicSettings("https://occi.example.org"))
    assert (bare.version, bare.implementation, bare.implementation_version) == (None, "OpenNebula", "5.4.15")
    own, _ = door_of(URL, "OpenNebula", "5.4.15", "5.4.15", PublicSettings("https://front.example.org", "OpenNebula"))
    assert (own.url, own.version) == ("https://front.example.org", "5.4.15")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:2633/RPC2",
        "http://localhost:2633/RPC2",
        "http://[::1]:2633/RPC2",
        "http://10.0.0.3/RPC2",
        "http://oned/RPC2",
        "http://oned.local/RPC2",
    ],
)
def test_an_address_that_only_the_agent_can_use(url: str) -> None:
    endpoint, (problem,) = door_of(url, "OpenNebula", "6.10.5", "6.10.5", None)
    assert endpoint.url == url
    assert problem.subject == url and "offer.public.url" in problem.reason
