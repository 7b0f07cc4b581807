"""Sessions, opened again by openssl as oned would."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.settings import Secret
from fedcloud_plugins.opennebula.login import CIPHERS, Cipher, Login, cipher_session, server_x509_session, x509_session
from fedcloud_plugins.opennebula.settings import AuthSettings

EXPIRY = 1_795_003_600


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("identity")
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/DC=org/DC=example/CN=Jane Doe"),
        *("-keyout", f"{directory}/key.pem", "-out", f"{directory}/cert.pem"),
    )
    (directory / "key.pem").chmod(0o600)
    return directory


def secret(directory: Path, text: str, mode: int = 0o600) -> Secret:
    path = directory / "secret"
    path.write_text(text)
    path.chmod(mode)
    return Secret(str(path))


def opened(sealed: str, identity: Path) -> str:
    """Return what a private key sealed, by the public key of the certificate."""
    (identity / "sealed").write_bytes(base64.b64decode(sealed))
    return openssl(
        *("pkeyutl", "-verifyrecover", "-certin", "-inkey", f"{identity}/cert.pem", "-in", f"{identity}/sealed")
    ).decode()


def test_core_is_name_and_password(tmp_path: Path) -> None:
    named = AuthSettings(username="accounting", password_file=secret(tmp_path, "pass:word\n"))
    assert Login(named).session() == "accounting:pass:word"
    assert not Login(named).renewable
    assert Login(AuthSettings(password_file=secret(tmp_path, "me:pass:word\n"))).session() == "me:pass:word"


@pytest.mark.parametrize("text", ["nocolon\n", ":x\n", "x:\n"])
def test_a_file_without_name_and_password_is_named_and_its_content_is_not(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME:PASSWORD") as error:
        Login(AuthSettings(password_file=secret(tmp_path, text))).session()
    assert "nocolon" not in str(error.value)


def test_secrets_that_others_can_read_or_oned_cannot_take_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="can be read by others"):
        Login(AuthSettings(password_file=secret(tmp_path, "a:b", 0o644))).session()
    with pytest.raises(ConfigurationError, match="control character") as error:
        Login(AuthSettings(password_file=secret(tmp_path, "a:hidden\u0001"))).session()
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize("cipher", CIPHERS)
def test_server_cipher_is_opened_with_the_digest_of_the_password(cipher: Cipher) -> None:
    server, target, token = cipher_session("serveradmin", "accounting", "s3cret", EXPIRY, cipher).split(":")
    assert (server, target) == ("serveradmin", "accounting")
    key = hashlib.new(cipher.digest, b"s3cret").hexdigest()[:32]
    iv = key[:16].encode().hex() if cipher.own_iv else "00" * 16
    text = openssl(*("enc", "-d", "-aes-256-cbc", "-K", key.encode().hex(), "-iv", iv), data=base64.b64decode(token))
    assert text.decode() == f"serveradmin:accounting:{EXPIRY}"


def test_x509_is_opened_with_the_certificate_that_comes_along(identity: Path) -> None:
    user, token = x509_session("jane", identity / "cert.pem", identity / "key.pem", EXPIRY).split(":")
    assert user == "jane"
    sealed, certificate = base64.b64decode(token).decode().split(":")
    assert certificate == (identity / "cert.pem").read_text()
    assert opened(sealed, identity) == f"jane:{EXPIRY}"


def test_server_x509_is_opened_with_the_service_certificate(identity: Path) -> None:
    server, target, token = server_x509_session("serveradmin", "accounting", identity / "key.pem", EXPIRY).split(":")
    assert (server, target) == ("serveradmin", "accounting")
    assert opened(base64.b64decode(token).decode(), identity) == f"serveradmin:accounting:{EXPIRY}"


def test_a_token_is_made_anew_when_it_is_refused(identity: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = AuthSettings(auth_type="x509", username="jane", certificate=identity / "cert.pem", key=identity / "key.pem")
    moments: Any = iter([1000.0, 2000.0])
    monkeypatch.setattr("time.time", lambda: next(moments))
    login = Login(auth)
    first = login.session()
    assert login.renewable and login.session() == first
    login.renew()
    assert login.session() != first


@pytest.mark.parametrize("what", ["passphrase", "ec", "nothing", "no certificate"])
def test_keys_that_cannot_be_used_are_named(tmp_path: Path, identity: Path, what: str) -> None:
    key, certificate = tmp_path / "key.pem", identity / "cert.pem"
    key.write_bytes((identity / "key.pem").read_bytes())
    if what == "passphrase":
        key.write_bytes(openssl("rsa", "-aes128", "-passout", "pass:x", "-in", f"{identity}/key.pem"))
    elif what == "ec":
        key.write_bytes(openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout"))
    elif what == "nothing":
        key.write_text("no key\n")
    else:
        certificate = key
    key.chmod(0o600)
    with pytest.raises(ConfigurationError, match=str(tmp_path)):
        x509_session("jane", certificate, key, EXPIRY)


def test_what_each_kind_of_login_needs_is_told() -> None:
    assert [key for key, _ in AuthSettings().faults()] == ["password_file"]
    assert [key for key, _ in AuthSettings(auth_type="x509").faults()] == ["username", "certificate", "key"]
    assert [key for key, _ in AuthSettings(auth_type="server_cipher").faults()] == ["password_file", "target"]
    assert [key for key, _ in AuthSettings(auth_type="server_x509").faults()] == ["username", "key", "target"]
