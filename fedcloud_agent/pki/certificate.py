"""A host certificate with its key: read once, checked, and kept in memory.

The key is kept because reading one costs some forty times as much as a signature with it.
"""

from __future__ import annotations

import calendar
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

from fedcloud_agent.clock import DAY, utc
from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.pki.dn import slash_form

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = Union[RSAPrivateKey, EllipticCurvePrivateKey]

_LARGEST = 1 << 20
_NETSCAPE_CERT_TYPE = "2.16.840.1.113730.1.1"
_NETSCAPE_CLIENT = 0x80
_LEAST_VALIDITY = DAY


@dataclass(frozen=True)
class Certificate:
    """One X.509 certificate and the file that it came from."""

    path: Path
    x509: x509.Certificate = field(repr=False)

    @property
    def dn(self) -> str:
        """The subject in slash form."""
        return slash_form(self.x509.subject)

    @property
    def not_before(self) -> int:
        """The first instant of its validity."""
        moment = getattr(self.x509, "not_valid_before_utc", None) or self.x509.not_valid_before
        return calendar.timegm(moment.utctimetuple())

    @property
    def not_after(self) -> int:
        """The last instant of its validity."""
        moment = getattr(self.x509, "not_valid_after_utc", None) or self.x509.not_valid_after
        return calendar.timegm(moment.utctimetuple())

    def days_left(self, now: int) -> float:
        """Return how long it is still valid, in days; negative once it has expired."""
        return (self.not_after - now) / DAY

    def check_validity(self, now: int) -> None:
        """Raise RefusedError unless it is valid now and for another 24 hours, which is what brokers' senders ask."""
        if now < self.not_before:
            raise RefusedError(
                f"the certificate {self.path} ({self.dn}) is not valid before {utc(self.not_before)}",
                hint=f"check the clock of this host (it says {utc(now)}), or install a certificate that is valid",
            )
        if now > self.not_after:
            raise RefusedError(
                f"the certificate {self.path} ({self.dn}) expired at {utc(self.not_after)}",
                hint="install a new one; the agent reads it at its next run",
            )
        if now + _LEAST_VALIDITY > self.not_after:
            raise RefusedError(
                f"the certificate {self.path} ({self.dn}) expires at {utc(self.not_after)}, within 24 hours",
                hint="install a new one; what is signed now could be refused before it is read",
            )


@dataclass(frozen=True)
class Credential:
    """A certificate with the private key that belongs to it."""

    certificate: Certificate
    key_path: Path
    key: PrivateKey = field(repr=False)


def load_certificate(path: Path) -> Certificate:
    """Read the first certificate of a PEM file. Raises ConfigurationError when there is none that can be read."""
    from cryptography import x509

    data = _read(path, "certificate")
    begin = data.find(b"-----BEGIN CERTIFICATE-----")
    if begin < 0:
        raise ConfigurationError(
            f"{path} holds no certificate in PEM form",
            hint="it has to begin with -----BEGIN CERTIFICATE-----; convert with: openssl x509 -inform DER -in FILE",
        )
    try:
        return Certificate(path, x509.load_pem_x509_certificate(data[begin:]))
    except ValueError as error:
        raise ConfigurationError(
            f"the certificate {path} cannot be read: {error}", hint=f"try: openssl x509 -in {path} -noout -text"
        ) from error


def load_credential(certificate: Path, key: Path) -> Credential:
    """Read a certificate and its key, and check that they belong together.

    Raises ConfigurationError for files that are missing, damaged, of different pairs or of a kind that cannot sign, and
    RefusedError for a key that others can read, and for a certificate that brokers refuse to clients. Validity is
    checked apart (:meth:`Certificate.check_validity`), since it depends on the time.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    loaded = load_certificate(certificate)
    private = _load_key(key)
    encoding, form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(encoding, form) != loaded.x509.public_key().public_bytes(encoding, form):
        raise ConfigurationError(
            f"the key {key} does not belong to the certificate {certificate} ({loaded.dn})",
            hint="a renewed certificate may have come with a new key: install the two together",
        )
    netscape = _netscape_type(loaded.x509)
    if netscape is not None and not netscape & _NETSCAPE_CLIENT:
        raise RefusedError(
            f"the certificate {certificate} ({loaded.dn}) is marked by its Netscape Cert Type as not for clients",
            hint="message brokers refuse it; ask the CA for a host certificate without this extension",
        )
    return Credential(loaded, key, private)


def _load_key(path: Path) -> PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path, "key", secret=True)
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError as error:
        raise ConfigurationError(
            f"the key {path} is protected by a passphrase, and nobody is there to type it",
            hint=f"write it without one, readable by its owner only: openssl pkey -in {path}",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            f"the key {path} cannot be read as a private key in PEM form", hint="it begins with -----BEGIN"
        ) from error
    if not isinstance(key, (RSAPrivateKey, EllipticCurvePrivateKey)):
        raise ConfigurationError(f"the key {path} is neither RSA nor elliptic curve", hint="such a key cannot sign")
    return key


def _read(path: Path, what: str, *, secret: bool = False) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(_LARGEST)
    except OSError as error:
        raise ConfigurationError(
            f"the {what} {path} cannot be read: {error.strerror}", hint="check that it exists and whose it is"
        ) from error
    if secret and mode & 0o007:
        raise RefusedError(f"the {what} {path} can be read by others (mode {mode:04o})", hint=f"chmod o-rwx {path}")
    return data


def _netscape_type(certificate: x509.Certificate) -> Optional[int]:
    """Return the byte of Netscape Cert Type, a DER bit string (03, length, unused bits, bits), if there is one."""
    from cryptography.x509 import UnrecognizedExtension

    for extension in certificate.extensions:
        if extension.oid.dotted_string == _NETSCAPE_CERT_TYPE and isinstance(extension.value, UnrecognizedExtension):
            data = extension.value.value
            return data[3] if len(data) > 3 and data[0] == 0x03 else 0
    return None
