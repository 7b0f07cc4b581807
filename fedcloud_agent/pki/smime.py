"""S/MIME as the accounting repository reads it: signed, then encrypted where a site asks for it (RFC 8551).

The receiver is the OpenSSL command behind a search for one word, which leaves little freedom: the signature is detached
(any text that speaks of ``pkcs7-mime`` is taken for an encrypted one), the signed part has a MIME header of its own
(the receiver cuts at its blank line) and exactly one certificate travels (it takes the first that it finds).
"""

from __future__ import annotations

import base64
import re

from fedcloud_agent.pki.certificate import Certificate, Credential
from fedcloud_agent.pki.envelope import enveloped

CIPHERS = ("aes128", "aes192", "aes256")

_TAKEN_FOR_ENCRYPTED = re.compile(rb"application/(x-)?pkcs7-mime", re.IGNORECASE)


class UnfitError(ValueError):
    """A text that the receiver could not read however it is signed; the message says why."""


def sign(credential: Credential, body: bytes) -> bytes:
    """Return ``body`` as multipart/signed text (SHA-256, lines end in CR LF). Raises UnfitError."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

    check_fitness(body)
    return (
        PKCS7SignatureBuilder()
        .set_data(body)
        .add_signer(credential.certificate.x509, credential.key, SHA256())
        .sign(Encoding.SMIME, [PKCS7Options.DetachedSignature, PKCS7Options.Text])
    )


def check_fitness(body: bytes) -> None:
    """Raise UnfitError for what the receiver cannot take: nothing at all, other than ASCII, or ``pkcs7-mime``."""
    if not body.strip():
        raise UnfitError("it is empty")
    if not body.isascii() or b"\0" in body:
        raise UnfitError("it holds bytes that are not ASCII text, which stop the receiver")
    found = _TAKEN_FOR_ENCRYPTED.search(body)
    if found:
        raise UnfitError(f"it holds the words {found.group().decode()!r}, so the receiver would take it for encrypted")


def encrypt(message: bytes, receiver: Certificate, cipher: str = "aes128") -> bytes:
    """Return a signed message as text that only ``receiver`` can read; ``cipher`` is one of :data:`CIPHERS` (CBC)."""
    coded = base64.encodebytes(enveloped(message, receiver.x509, int(cipher[3:])))
    return (
        b"MIME-Version: 1.0\n"
        b'Content-Disposition: attachment; filename="smime.p7m"\n'
        b'Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\n'
        b"Content-Transfer-Encoding: base64\n\n" + coded + b"\n"
    )
