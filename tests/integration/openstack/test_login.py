"""The kinds of login, and whom we trust while logging in."""

from __future__ import annotations

import datetime
import ipaddress
import logging
from pathlib import Path
from typing import Any, Callable, Tuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.settings import Secret
from tests.federation.openstack import OpenStackSimulator
from tests.integration.openstack.conftest import Site

OIDC = {"auth_type": "oidc_access_token", "identity_provider": "egi.eu", "protocol": "openid"}


def kept(directory: Path, text: str) -> Secret:
    path = directory / "token"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return Secret(str(path))


def test_an_access_token_of_the_identity_provider(site: Any, read: Callable[..., Any]) -> None:
    server = site.server("vo-bio")
    site.simulator.grant("joe", "reader", "vo-bio")
    bearer = site.simulator.create_access_token("joe", "egi.eu")
    cloud = site.cloud(auth={**OIDC, "access_token_file": kept(site.directory, bearer)})
    assert server in read(cloud).machines
    refused = site.cloud(auth={**OIDC, "access_token_file": kept(site.directory, "expired")})
    with pytest.raises(RefusedError):
        refused.probe()


def test_a_token_that_something_else_renews(site: Any, read: Callable[..., Any]) -> None:
    server = site.server()
    first = site.cloud("reader", auth={"project_name": "vo-ops"})
    token = first._connection.main.access().token
    cloud = site.cloud(auth={"auth_type": "token", "access_token_file": kept(site.directory, token)})
    assert server in read(cloud).machines


def test_an_application_credential_by_name(site: Any, read: Callable[..., Any]) -> None:
    server = site.server()
    made = site.simulator.create_application_credential("reader", "vo-ops", name="accounting")
    auth = {
        "auth_type": "application_credential",
        "application_credential_name": "accounting",
        "application_credential_secret_file": kept(site.directory, made["secret"]),
    }
    cloud = site.cloud("reader", auth=auth, vos={})
    assert server in read(cloud).machines


def test_the_password_is_read_when_it_is_needed_and_never_told(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cloud = site.cloud()
    (site.directory / "secret").write_text("a-wrong-pass-phrase")
    with pytest.raises(RefusedError, match="refuses the login of admin-agent") as caught:
        cloud.probe()
    assert "a-wrong-pass-phrase" not in caplog.text
    assert "a-wrong-pass-phrase" not in f"{caught.value}{caught.value.hint}"
    (site.directory / "secret").write_text("pw")
    cloud.probe()
    assert cloud._connection.main.access().token not in caplog.text


def test_an_unknown_region(site: Any) -> None:
    with pytest.raises(ConfigurationError, match="no compute service .*region Nowhere"):
        site.cloud(region="Nowhere", auth={"project_name": "vo-ops"}).probe()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "key.pem").write_bytes(private)
    return directory / "cert.pem", directory / "key.pem"


def test_who_signed_the_cloud_matters(
    tmp_path: Path, certificate: Tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, read: Callable[..., Any]
) -> None:
    with OpenStackSimulator(tmp_path / "openstack", certificate=certificate[0], key=certificate[1]) as simulator:
        site = Site(simulator, tmp_path)
        server = site.server()
        assert server in read(site.cloud(cacert=certificate[0])).machines
        # the environment has no say in whom we trust
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
        with pytest.raises(RefusedError, match="no trust in its certificate") as caught:
            site.cloud().probe()
        assert "cacert" in str(caught.value.hint)
        with pytest.raises(ConfigurationError, match=r"missing\.pem"):
            site.cloud(cacert=tmp_path / "missing.pem").probe()
        for cloud in site.clouds:
            cloud.close()
