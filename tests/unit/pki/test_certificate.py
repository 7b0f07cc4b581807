from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.pki.certificate import load_certificate, load_credential
from tests.federation.authority import Authority, Credential

DAY = 86400


def test_a_pair_is_loaded_with_its_name_and_its_end(host: Credential) -> None:
    credential = load_credential(host.certificate, host.key)
    now = int(time.time())
    assert credential.certificate.dn == host.dn
    assert 29.9 < credential.certificate.days_left(now) < 30.1
    credential.certificate.check_validity(now)


def test_no_key_shows_in_a_trace(host: Credential) -> None:
    credential = load_credential(host.certificate, host.key)
    assert "PrivateKey" not in repr(credential)


def test_an_elliptic_key_serves_too(authority: Authority) -> None:
    host = authority.host("ec.example.org", elliptic=True)
    assert load_credential(host.certificate, host.key).certificate.dn == host.dn


@pytest.mark.parametrize(
    ("offset", "words"),
    [(-2 * DAY, "is not valid before"), (29 * DAY + 3600, "within 24 hours"), (31 * DAY, "expired at")],
)
def test_a_certificate_out_of_its_time_is_refused(host: Credential, offset: int, words: str) -> None:
    certificate = load_certificate(host.certificate)
    with pytest.raises(RefusedError, match=words) as caught:
        certificate.check_validity(int(time.time()) + offset)
    assert str(host.certificate) in caught.value.message
    assert caught.value.hint


def test_the_limits_of_validity(host: Credential) -> None:
    certificate = load_certificate(host.certificate)
    certificate.check_validity(certificate.not_before)
    certificate.check_validity(certificate.not_after - DAY)
    with pytest.raises(RefusedError):
        certificate.check_validity(certificate.not_before - 1)
    with pytest.raises(RefusedError):
        certificate.check_validity(certificate.not_after - DAY + 1)


def test_the_key_of_another_certificate(authority: Authority, host: Credential) -> None:
    other = authority.host("other.example.org")
    with pytest.raises(ConfigurationError, match="does not belong to the certificate"):
        load_credential(host.certificate, other.key)


def test_a_key_that_others_can_read(authority: Authority) -> None:
    host = authority.host("open.example.org")
    host.key.chmod(0o644)
    with pytest.raises(RefusedError, match="can be read by others") as caught:
        load_credential(host.certificate, host.key)
    assert caught.value.hint == f"chmod o-rwx {host.key}"


def test_a_key_under_a_passphrase(host: Credential, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    locked.touch(mode=0o600)
    command = ["openssl", "pkey", "-in", str(host.key), "-aes128", "-passout", "pass:word", "-out", str(locked)]
    subprocess.run(command, check=True, timeout=30)
    with pytest.raises(ConfigurationError, match="protected by a passphrase"):
        load_credential(host.certificate, locked)


@pytest.mark.parametrize(("netscape_type", "accepted"), [(0x40, False), (0x80, True), (0xC0, True), (0x00, False)])
def test_a_certificate_marked_for_servers_only(authority: Authority, netscape_type: int, accepted: bool) -> None:
    host = authority.host("old.example.org", file=f"netscape-{netscape_type}", netscape_type=netscape_type)
    if accepted:
        load_credential(host.certificate, host.key)
    else:
        with pytest.raises(RefusedError, match="Netscape Cert Type"):
            load_credential(host.certificate, host.key)


def test_files_that_are_not_what_they_should_be(host: Credential, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    with pytest.raises(ConfigurationError, match=r"nothing.pem cannot be read: No such file"):
        load_certificate(nothing)
    nothing.write_bytes(b"\x30\x82")
    nothing.chmod(0o600)
    with pytest.raises(ConfigurationError, match="no certificate in PEM form"):
        load_certificate(nothing)
    with pytest.raises(ConfigurationError, match="cannot be read as a private key"):
        load_credential(host.certificate, nothing)
    nothing.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_certificate(nothing)


def test_text_before_a_certificate_is_skipped(host: Credential, tmp_path: Path) -> None:
    described = tmp_path / "described.pem"
    described.write_bytes(b"Certificate:\n    Data: of the host\n" + host.certificate.read_bytes())
    assert load_certificate(described).dn == host.dn
