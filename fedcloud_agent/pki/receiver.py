"""The certificate that messages are encrypted for: may it be trusted with them?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Iterator, List

from fedcloud_agent.errors import ConfigurationError, RefusedError
from fedcloud_agent.pki.certificate import Certificate, load_certificate

if TYPE_CHECKING:
    from cryptography import x509

_LONGEST_CHAIN = 8


def load_receiver(path: Path, anchors: Path, own: Certificate, now: int) -> Certificate:
    """Read a receiver's certificate and check that it is valid for another day, not our own, and issued by a known CA.

    ``anchors`` is a directory of CA certificates in PEM form, or one file of them. Raises ConfigurationError or
    RefusedError.
    """
    receiver = load_certificate(path)
    receiver.check_validity(now)
    if receiver.x509.public_key() == own.x509.public_key() or receiver.dn == own.dn:
        raise ConfigurationError(
            f"{path} is this host's own certificate ({own.dn})",
            hint="'encrypt_for' takes the certificate of the server that receives the messages",
        )
    _check_chain(receiver, list(_authorities(anchors)), anchors, now)
    return receiver


def _check_chain(receiver: Certificate, authorities: List[Certificate], anchors: Path, now: int) -> None:
    current = receiver
    for _ in range(_LONGEST_CHAIN):
        issuer = next((a for a in authorities if _issued(a.x509, current.x509)), None)
        if issuer is None:
            raise RefusedError(
                f"the certificate {receiver.path} ({receiver.dn}) was issued by no CA of {anchors}",
                hint="install the certificate of its CA there, or ask the receiver for its present certificate",
            )
        if not issuer.not_before <= now <= issuer.not_after:
            raise RefusedError(f"the CA certificate {issuer.path} ({issuer.dn}) is not valid now")
        if issuer.x509.subject == issuer.x509.issuer:
            return
        current = issuer
    raise RefusedError(f"the certificate {receiver.path} has a chain of more than {_LONGEST_CHAIN} CAs")


def _authorities(anchors: Path) -> Iterator[Certificate]:
    files = sorted(anchors.glob("*.[0-9]")) + sorted(anchors.glob("*.pem")) if anchors.is_dir() else [anchors]
    for file in files:
        try:
            yield load_certificate(file)
        except ConfigurationError:
            # one unreadable file among some hundred must not hide the others
            continue


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    digest = subject.signature_hash_algorithm
    if issuer.subject != subject.issuer or digest is None or not _is_authority(issuer):
        return False
    public = issuer.public_key()
    try:
        if isinstance(public, RSAPublicKey):
            public.verify(subject.signature, subject.tbs_certificate_bytes, PKCS1v15(), digest)
        elif isinstance(public, EllipticCurvePublicKey):
            public.verify(subject.signature, subject.tbs_certificate_bytes, ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography.x509 import BasicConstraints, ExtensionNotFound

    try:
        return bool(certificate.extensions.get_extension_for_class(BasicConstraints).value.ca)
    except ExtensionNotFound:
        return False
