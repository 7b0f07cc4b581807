"""A PKCS#7 envelope for one receiver with an RSA key (RFC 2315, section 10), built here in memory.

The cryptography releases of the distributions that we run on can sign PKCS#7 but not encrypt it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fedcloud_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography import x509

_DATA = "1.2.840.113549.1.7.1"
_ENVELOPED_DATA = "1.2.840.113549.1.7.3"
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_AES_CBC = {128: "2.16.840.1.101.3.4.1.2", 192: "2.16.840.1.101.3.4.1.22", 256: "2.16.840.1.101.3.4.1.42"}

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE, _SET = 0x02, 0x04, 0x05, 0x06, 0x30, 0x31
_CONTENT_BARE, _CONTENT_WRAPPED = 0x80, 0xA0


def enveloped(content: bytes, receiver: x509.Certificate, bits: int) -> bytes:
    """Return ``content`` under AES-CBC with a fresh key that only ``receiver`` can open, as DER.

    Raises ConfigurationError when the receiver's key is not RSA, which is all that this envelope and OpenSSL's know.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC
    from cryptography.hazmat.primitives.padding import PKCS7

    public = receiver.public_key()
    if not isinstance(public, RSAPublicKey):
        raise ConfigurationError(
            "the certificate to encrypt for has no RSA key", hint="ask the receiver for its RSA host certificate"
        )
    key, vector = os.urandom(bits // 8), os.urandom(16)
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(key), CBC(vector)).encryptor()
    hidden = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    recipient = _der(
        _SEQUENCE,
        _integer(0),
        _der(_SEQUENCE, receiver.issuer.public_bytes(), _integer(receiver.serial_number)),
        _der(_SEQUENCE, _oid(_RSA_ENCRYPTION), _der(_NULL)),
        _der(_OCTETS, public.encrypt(key, PKCS1v15())),
    )
    secret = _der(
        _SEQUENCE,
        _oid(_DATA),
        _der(_SEQUENCE, _oid(_AES_CBC[bits]), _der(_OCTETS, vector)),
        _der(_CONTENT_BARE, hidden),
    )
    envelope = _der(_SEQUENCE, _integer(0), _der(_SET, recipient), secret)
    return _der(_SEQUENCE, _oid(_ENVELOPED_DATA), _der(_CONTENT_WRAPPED, envelope))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    coded = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            groups.append(arc & 0x7F | 0x80)
        coded += bytes(reversed(groups))
    return _der(_OID, bytes(coded))
