"""Logging in to oned: the session, which is the first argument of every call.

A session is a secret whatever its kind: it is in no log and in no error. Those with a token in them end by themselves,
and are made anew here.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, List, NamedTuple, Optional, Tuple

from fedcloud_agent.errors import ConfigurationError
from fedcloud_plugins.opennebula.settings import CORE, PROXY, SERVER_CIPHER, SERVER_X509, X509, AuthSettings
from fedcloud_plugins.opennebula.xmlrpc import sendable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

VALIDITY = 3600
"""Seconds for which a token is made."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


class Cipher(NamedTuple):
    """How a release derives the key of server_cipher from the service's password."""

    digest: str
    own_iv: bool
    """Whether the initialisation vector is the start of the key, and not sixteen zero bytes."""


CIPHERS: Tuple[Cipher, ...] = (Cipher("sha256", True), Cipher("sha256", False), Cipher("sha1", False))
"""From 6.2, from 5.10, before. oned tells its version only to who has logged in, so they are tried in this order."""


@dataclass
class Login:
    """The session of a configured account. Nothing is read or made before it is needed."""

    auth: AuthSettings
    cipher: Cipher = CIPHERS[0]
    _session: Optional[str] = None
    _until: float = 0.0

    @property
    def renewable(self) -> bool:
        """Whether a session that oned refuses may only be too old."""
        return self.auth.auth_type not in (CORE, PROXY)

    def session(self) -> str:
        """Return a session that is valid for some minutes yet.

        Raises ConfigurationError when a file of the login cannot be used, and what reading a secret raises.
        """
        if self._session is None or time.monotonic() > self._until:
            made = self._make(int(time.time()) + VALIDITY)
            if not sendable(made):
                raise ConfigurationError(
                    "the login holds a control character or one beyond U+FFFF, which oned does not take",
                    hint="choose another password, and see that the file holds one line",
                )
            self._session, self._until = made, time.monotonic() + VALIDITY / 2
        return self._session

    def renew(self) -> None:
        """Forget the session, since oned takes it no longer."""
        self._session = None

    def with_cipher(self, cipher: Cipher) -> None:
        """Make sessions of server_cipher as another release reads them."""
        self.cipher = cipher
        self._session = None

    def _make(self, expiry: int) -> str:
        auth = self.auth
        if auth.auth_type == CORE:
            return ":".join(_account(auth))
        if auth.auth_type == PROXY:
            return ""
        if auth.auth_type == X509:
            assert auth.certificate is not None and auth.key is not None
            return x509_session(auth.username or "", auth.certificate, auth.key, expiry)
        if auth.auth_type == SERVER_CIPHER:
            server, password = _account(auth)
            return cipher_session(server, auth.target or "", password, expiry, self.cipher)
        assert auth.auth_type == SERVER_X509 and auth.key is not None
        return server_x509_session(auth.username or "", auth.target or "", auth.key, expiry)


def _account(auth: AuthSettings) -> Tuple[str, str]:
    """Return name and password. Without a name the file holds both, parted by the first colon."""
    assert auth.password_file is not None
    text = auth.password_file.read()
    if auth.username is not None:
        return auth.username, text
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise ConfigurationError(
            f"{auth.password_file.path} does not hold NAME:PASSWORD", hint="or set auth.username beside it"
        )
    return name, password


def cipher_session(server: str, target: str, password: str, expiry: int, cipher: Cipher) -> str:
    """Return the session of a service that acts for ``target``, proven by the password that it shares with oned."""
    from cryptography.hazmat.primitives.ciphers import Cipher as Encryption
    from cryptography.hazmat.primitives.ciphers import algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    digest = hashlib.new(cipher.digest, password.encode("utf-8"), usedforsecurity=False)
    key = digest.hexdigest()[:32].encode("ascii")
    padder = PKCS7(128).padder()
    text = f"{server}:{target}:{expiry}".encode()
    encryptor = Encryption(algorithms.AES(key), modes.CBC(key[:16] if cipher.own_iv else bytes(16))).encryptor()
    sealed = encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()
    return f"{server}:{target}:{_base64(sealed)}"


def x509_session(user: str, certificate: Path, key: Path, expiry: int) -> str:
    """Return the session of a user who is known by the subject of a certificate."""
    try:
        chain = _CERTIFICATE.findall(certificate.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the certificate {certificate} cannot be read: {error}") from error
    if not chain:
        raise ConfigurationError(f"{certificate} holds no certificate in PEM form")
    parts: List[str] = [_signed(f"{user}:{expiry}", key), *(pem.rstrip("\n") + "\n" for pem in chain)]
    return f"{user}:{_base64(':'.join(parts).encode('ascii'))}"


def server_x509_session(server: str, target: str, key: Path, expiry: int) -> str:
    """Return the session of a service that acts for ``target``, proven by its certificate's key."""
    token = _signed(f"{server}:{target}:{expiry}", key)
    return f"{server}:{target}:{_base64(token.encode('ascii'))}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _signed(text: str, path: Path) -> str:
    """Return ``text`` sealed with a private key, as oned opens it with the public one, in base64.

    This is the bare padding of PKCS #1 (block type 1) without the name of a digest, which cryptography does not make.
    """
    key = _private_key(path)
    numbers = key.private_numbers()
    size = (key.key_size + 7) // 8
    data = text.encode("utf-8")
    if len(data) > size - 11:
        raise ConfigurationError(f"the names in auth are too long for the key {path}")
    block = b"\x00\x01" + b"\xff" * (size - 3 - len(data)) + b"\x00" + data
    sealed = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return _base64(sealed.to_bytes(size, "big"))


def _private_key(path: Path) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from fedcloud_agent.settings import Secret

    text = Secret(str(path)).read()
    try:
        key = load_pem_private_key(text.encode("utf-8"), password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the key {path} cannot be used: it is no PEM, or it has a passphrase",
            hint=f"openssl rsa -in {path} -out NEW takes a passphrase away",
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigurationError(f"the key {path} is not RSA, which is all that oned knows")
    return key
