from __future__ import annotations

import time
from pathlib import Path

import pytest

from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError
from fedcloud_agent.pki.certificate import load_certificate
from fedcloud_agent.pki.receiver import load_receiver
from tests.federation.authority import Authority, Credential

DAY = 86400


def load(path: Path, anchors: Path, own: Credential) -> str:
    return load_receiver(path, anchors, load_certificate(own.certificate), int(time.time())).dn


def test_a_receiver_of_a_known_ca(authority: Authority, host: Credential) -> None:
    receiver = authority.host("receiver.example.org")
    assert load(receiver.certificate, authority.anchors, host) == receiver.dn
    assert load(receiver.certificate, authority.certificate, host) == receiver.dn


def test_a_receiver_of_an_unknown_ca(authority: Authority, host: Credential, tmp_path: Path) -> None:
    foreign = Authority(tmp_path, "Another CA").host("receiver.example.org")
    with pytest.raises(RefusedError, match="was issued by no CA of"):
        load(foreign.certificate, authority.anchors, host)


def test_a_ca_of_the_same_name_and_another_key(authority: Authority, host: Credential, tmp_path: Path) -> None:
    impostor = Authority(tmp_path).host("receiver.example.org")
    with pytest.raises(RefusedError, match="was issued by no CA of"):
        load(impostor.certificate, authority.anchors, host)


def test_a_host_certificate_issues_nothing(authority: Authority, host: Credential, tmp_path: Path) -> None:
    anchors = tmp_path / "certificates"
    anchors.mkdir()
    (anchors / "host.pem").write_bytes(host.certificate.read_bytes())
    receiver = authority.host("receiver.example.org")
    with pytest.raises(RefusedError, match="was issued by no CA of"):
        load(receiver.certificate, anchors, host)


def test_damaged_files_among_the_anchors_are_passed_over(
    authority: Authority, host: Credential, tmp_path: Path
) -> None:
    anchors = tmp_path / "certificates"
    anchors.mkdir()
    (anchors / "00000000.0").write_text("nothing")
    authority.trust_in(anchors)
    receiver = authority.host("receiver.example.org")
    assert load(receiver.certificate, anchors, host) == receiver.dn


@pytest.mark.parametrize("valid", [(-2 * DAY, -DAY), (-DAY, DAY - 60), (DAY, 2 * DAY)])
def test_a_receiver_out_of_its_time(authority: Authority, host: Credential, valid: tuple[int, int]) -> None:
    receiver = authority.host("receiver.example.org", file="out-of-time", valid=valid)
    with pytest.raises(AgentError):
        load(receiver.certificate, authority.anchors, host)


def test_not_for_ourselves(authority: Authority, host: Credential) -> None:
    with pytest.raises(ConfigurationError, match="this host's own certificate"):
        load(host.certificate, authority.anchors, host)
