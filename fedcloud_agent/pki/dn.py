"""Distinguished names as the federation writes them: ``/DC=org/DC=example/CN=host.example.org``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict

if TYPE_CHECKING:
    from cryptography import x509

_SHORT: Dict[str, str] = {
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier",
}


def slash_form(name: x509.Name) -> str:
    r"""Return a name in OpenSSL's one-line form, attributes in the order of the certificate.

    GOCDB, the accounting repository and grid-mapfiles compare this very text. Bytes outside of printable ASCII become
    ``\xHH`` (of UTF-8); a slash inside a value stays as it is (``CN=host/name``), where
    some OpenSSL releases print a backslash before it.
    """
    return "".join(f"/{_SHORT.get(a.oid.dotted_string, a.oid.dotted_string)}={printable(a.value)}" for a in name)


def printable(value: object) -> str:
    r"""Return a value in printable ASCII: every other byte of its UTF-8 as ``\xHH``."""
    data = value if isinstance(value, bytes) else str(value).encode("utf-8")
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}" for byte in data)
