"""Read the certificates out of a message's signature without starting a process."""

from __future__ import annotations

import binascii
import re
from typing import Optional

_SIGNATURE = re.compile(
    r"^Content-Type: application/(?:x-)?pkcs7-signature.*?\r?\n\r?\n([A-Za-z0-9+/=\s]+)", re.MULTILINE | re.DOTALL
)


def first_certificate(text: str) -> Optional[str]:
    """Return the first certificate of the detached signature as PEM; None if this reader is not sure."""
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    parts = _SIGNATURE.findall(text)
    if len(parts) != 1:
        return None
    try:
        certificates = pkcs7.load_der_pkcs7_certificates(binascii.a2b_base64(parts[0]))
    except ValueError:
        return None
    return certificates[0].public_bytes(Encoding.PEM).decode("ascii") if certificates else None
