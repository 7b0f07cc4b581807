"""A throw-away certification authority, as a grid site sees one: a directory of hashed trust anchors, and host
certificates issued below ``/DC=org/DC=example``.

Everything lies in one directory; nothing outlives it.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PASSWORD = "changeit"
"""Of the stores: Java wants one, and they hold nothing worth a better one."""

_NETSCAPE_CERT_TYPE = ObjectIdentifier("2.16.840.1.113730.1.1")
_DAY = 86400


@dataclass(frozen=True)
class Credential:
    """A certificate with its key, both PEM; the key is readable by its owner only."""

    certificate: Path
    key: Path
    dn: str
    """The subject in slash form."""


class Authority:
    """One CA: its own certificate, its directory of trust anchors, and what it issues."""

    def __init__(self, directory: Path, name: str = "Throw-away CA") -> None:
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.dn = f"/DC=org/DC=example/CN={name}"
        self._subject = _name(name)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        now = datetime.datetime.now(datetime.timezone.utc)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._subject)
            .issuer_name(self._subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=3650))
            .not_valid_after(now + datetime.timedelta(days=18250))  # hundreds of simulated months
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = self.directory / "ca.pem"
        self.certificate.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    @property
    def anchors(self) -> Path:
        """The directory of trust anchors with this CA in it under its hash, as /etc/grid-security/certificates."""
        directory = self.directory / "certificates"
        if not directory.exists():
            directory.mkdir()
            self.trust_in(directory)
        return directory

    def trust_in(self, directory: Path) -> None:
        """Add this CA to a directory of trust anchors."""
        digest = _run("openssl", "x509", "-noout", "-hash", "-in", str(self.certificate)).strip()
        number = len(list(directory.glob(f"{digest}.*")))
        (directory / f"{digest}.{number}").write_bytes(self.certificate.read_bytes())

    def host(
        self,
        name: str = "host.example.org",
        *,
        file: Optional[str] = None,
        dns: Sequence[str] = ("localhost",),
        addresses: Sequence[str] = ("127.0.0.1",),
        valid: Tuple[int, int] = (-_DAY, 30 * _DAY),
        elliptic: bool = False,
        netscape_type: Optional[int] = None,
    ) -> Credential:
        """Issue a host certificate for ``/DC=org/DC=example/CN=name``.

        ``valid`` are seconds from now: (-2 * 86400, -86400) is an expired one. ``dns`` and ``addresses`` are its
        alternative names, besides ``name`` itself. ``netscape_type`` is the byte of the old Netscape Cert Type
        extension (0x40: SSL Server, 0x80: SSL Client).
        """
        key = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
        now = datetime.datetime.now(datetime.timezone.utc)
        alternatives = [x509.DNSName(d) for d in (name.split("/")[-1], *dns)]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(seconds=valid[0]))
            .not_valid_after(now + datetime.timedelta(seconds=valid[1]))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName(
                    [*alternatives, *(x509.IPAddress(ipaddress.ip_address(a)) for a in addresses)]
                ),
                critical=False,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if netscape_type is not None:
            bits = bytes((0x03, 0x02, _unused_bits(netscape_type), netscape_type))  # DER: a BIT STRING of one byte
            builder = builder.add_extension(x509.UnrecognizedExtension(_NETSCAPE_CERT_TYPE, bits), critical=False)
        stem = file or name.replace("/", "_")
        credential = Credential(
            self.directory / f"{stem}.cert.pem", self.directory / f"{stem}.key.pem", f"/DC=org/DC=example/CN={name}"
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        credential.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        credential.key.touch(mode=0o600)
        credential.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return credential


def key_store(credential: Credential, path: Path) -> Path:
    """Write a PKCS#12 key store, as Java reads it, and return its path."""
    path.unlink(missing_ok=True)
    _run(
        *("openssl", "pkcs12", "-export", "-name", "host", "-passout", f"pass:{PASSWORD}"),
        *("-in", str(credential.certificate), "-inkey", str(credential.key), "-out", str(path)),
    )
    return path


def trust_store(authority: Authority, path: Path) -> Path:
    """Write a JKS trust store and return its path: what openssl writes holds no trust for Java, and keytool is slow."""
    certificate = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    der = certificate.public_bytes(serialization.Encoding.DER)
    store = struct.pack(">III", 0xFEEDFEED, 2, 1)  # magic, version, entries
    store += struct.pack(">I", 2) + _java_text("ca") + struct.pack(">Q", 0)  # a trusted certificate, its name, its age
    store += _java_text("X.509") + struct.pack(">I", len(der)) + der
    digest = hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + store).digest()
    path.write_bytes(store + digest)
    return path


def _java_text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "org"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "example"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=not ca,
        data_encipherment=not ca,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _unused_bits(byte: int) -> int:
    return (byte & -byte).bit_length() - 1 if byte else 7


def _run(*arguments: str) -> str:
    return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=60).stdout
