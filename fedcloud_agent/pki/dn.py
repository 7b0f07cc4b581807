"""Distinguished names as the federation writes them: ``/DC=org/DC=example/CN=host.example.org``.

Whoever hands us a name spells it in a way of its own. :func:`parse_dn` reads them all; what it returns is rendered in
one way (``str``), in every way that a front end may look for it (``spellings``), and compared by its ``key``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Dict, List, Tuple

if TYPE_CHECKING:
    from cryptography import x509

CONTROL_CHARACTER = "control-char"
UNPARSABLE = "unparsable"

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
_TYPES: Dict[str, str] = {
    **{short.upper(): short for short in _SHORT.values()},
    **dict.fromkeys(("E", "EMAIL", "MAIL"), "emailAddress"),
    "USERID": "UID",
    "S": "ST",
    "STATEORPROVINCENAME": "ST",
    "COMMONNAME": "CN",
    "COUNTRYNAME": "C",
    "LOCALITYNAME": "L",
    "ORGANIZATIONNAME": "O",
    "ORGANIZATIONALUNITNAME": "OU",
    "DOMAINCOMPONENT": "DC",
    "GIVENNAME": "GN",
    "SURNAME": "SN",
    "STREETADDRESS": "street",
}
_OID = r"[0-9]+(?:\.[0-9]+)+"
TYPE = rf"(?:[A-Za-z][A-Za-z0-9.-]*|{_OID})"
"""A regular expression of what may stand before the ``=`` of an attribute."""

_BORDER = re.compile(rf"(?<!\\)/(?={TYPE}=)")
_ATTRIBUTE = re.compile(rf"({TYPE})=(.*)", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([/+]))")
_ROOTS = frozenset({"C", "DC", "O"})


class UnfitNameError(ValueError):
    """A text that cannot be used as a distinguished name; ``reason`` is one word for it, the text itself is personal.

    The reasons: CONTROL_CHARACTER, UNPARSABLE, and those of :mod:`fedcloud_agent.site.identity`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not usable as a distinguished name: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class DistinguishedName:
    """A name from its root on: pairs of a type in its usual spelling and a value; ``str`` is the one-line form."""

    attributes: Tuple[Tuple[str, str], ...]
    text: str = field(init=False, repr=False, compare=False)
    key: str = field(init=False, repr=False, compare=False)
    """What equal names have in common: neither case, inner blanks nor the composition of letters count."""

    def __post_init__(self) -> None:
        rendered = [_rendered(kind, value) for kind, value in self.attributes]
        object.__setattr__(self, "text", "".join([text for text, _ in rendered]))
        object.__setattr__(self, "key", "\n".join([key for _, key in rendered]))

    def __str__(self) -> str:
        return self.text

    @property
    def spellings(self) -> Tuple[str, ...]:
        """The one-line forms that releases of OpenSSL print: as ``str``, then with escaped slashes and pluses."""
        if "+" not in self.text and self.text.count("/") == len(self.attributes):
            return (self.text,)
        signs = {ord("/"): "\\/", ord("+"): "\\+"}
        escaped = "".join(f"/{kind}={printable(value).translate(signs)}" for kind, value in self.attributes)
        return (self.text, escaped)


def parse_dn(text: str) -> DistinguishedName:
    r"""Read a name in OpenSSL's one-line form (it begins with a slash), or in that of RFC 4514 or of OpenSSL 1.1.

    A slash ends a value only where a type and ``=`` follow; ``\/``, ``\+`` and ``\xHH`` are undone. What has fewer than
    two attributes, or could be taken for another name once it is written in one line, is no name for us. Raises
    UnfitNameError.
    """
    text = text.strip()
    if not text.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") and c != "\t" for c in text):
        raise UnfitNameError(CONTROL_CHARACTER)
    name = DistinguishedName(tuple(_one_line(text) if text.startswith("/") else _commas(text)))
    values = "".join(value for _, value in name.attributes)
    if not values.isprintable() and any(unicodedata.category(c) == "Cc" and c != "\t" for c in values):
        raise UnfitNameError(CONTROL_CHARACTER)
    # no value begins with a slash: in one line it would look like an empty one
    if len(name.attributes) < 2 or not all(
        value.strip().lstrip("/") == value.strip() != "" for _, value in name.attributes
    ):
        raise UnfitNameError(UNPARSABLE)
    if ("/" in values or "\\" in values) and tuple(_one_line(str(name))) != name.attributes:
        raise UnfitNameError(UNPARSABLE)
    return name


def slash_form(name: x509.Name) -> str:
    r"""Return a name in OpenSSL's one-line form, attributes in the order of the certificate.

    GOCDB, the accounting repository and grid-mapfiles compare this very text. Bytes outside of printable ASCII become
    ``\xHH`` (of UTF-8); a slash inside a value stays as it is (``CN=host/name``), where
    some OpenSSL releases print a backslash before it.
    """
    return "".join(f"/{_SHORT.get(a.oid.dotted_string, a.oid.dotted_string)}={printable(a.value)}" for a in name)


def printable(value: object) -> str:
    r"""Return a value in printable ASCII: every other byte of its UTF-8 as ``\xHH``."""
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return value
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}" for byte in data)


# the attributes of organisations come again with each of their people
@lru_cache(maxsize=4096)
def _rendered(kind: str, value: str) -> Tuple[str, str]:
    return f"/{kind}={printable(value)}", f"{kind.upper()}={_folded(value)}"


@lru_cache(maxsize=256)
def _type(spelled: str) -> str:
    bare = spelled[4:] if spelled.upper().startswith("OID.") else spelled
    return _SHORT.get(bare) or _TYPES.get(bare.upper()) or bare.upper()


def _folded(value: str) -> str:
    if value.isascii():
        return " ".join(value.lower().split())
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold())
    return " ".join(plain.split())


def _one_line(text: str) -> List[Tuple[str, str]]:
    begin, *parts = _BORDER.split(text)
    if begin or not parts:
        raise UnfitNameError(UNPARSABLE)
    found = []
    for part in parts:
        kind, _, value = part.partition("=")
        found.append((_type(kind), _unescaped(value) if "\\" in value else value))
    return found


def _unescaped(value: str) -> str:
    def undo(match: re.Match[bytes]) -> bytes:
        code, sign = match.groups()
        return bytes([int(code, 16)]) if code else bytes(sign)

    return _ESCAPE.sub(undo, value.encode("utf-8")).decode("utf-8", "surrogateescape")


def _commas(text: str) -> List[Tuple[str, str]]:
    """Read what commas part. The standards begin at the leaf; OpenSSL's own form begins at the root, and shows it."""
    found: List[Tuple[str, str]] = []
    for part in _parted(text):
        match = _ATTRIBUTE.fullmatch(re.sub(r"^(\S+?)\s*=\s*", r"\1=", part.lstrip()))
        if match is None:
            raise UnfitNameError(UNPARSABLE)
        found.append((_type(match.group(1)), _plain(match.group(2))))
    first, last = found[0][0], found[-1][0]
    from_root = first in _ROOTS and (last not in _ROOTS or (last == "O" and first != "O"))
    return found if from_root else found[::-1]


def _parted(text: str) -> List[str]:
    """Return the pieces between commas, semicolons and pluses that are neither escaped nor quoted."""
    pieces, begin, quoted, index = [], 0, False, 0
    while index < len(text):
        sign = text[index]
        if sign == "\\":
            index += 1
        elif sign == '"':
            quoted = not quoted
        elif sign in ",;+" and not quoted:
            pieces.append(text[begin:index])
            begin = index + 1
        index += 1
    if quoted:
        raise UnfitNameError(UNPARSABLE)
    return [*pieces, text[begin:]]


def _plain(value: str) -> str:
    """Return a value of RFC 4514 without its escapes and quotes. Raises UnfitNameError."""
    data = bytearray()
    value = _without_blanks(value)
    if value.startswith("#"):
        raise UnfitNameError(UNPARSABLE)  # the BER form, which nobody sends for what a person is called
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    index = 0
    while index < len(value):
        sign = value[index]
        if sign == "\\":
            code, following = value[index + 1 : index + 3], value[index + 1 : index + 2]
            if re.fullmatch(r"[0-9A-Fa-f]{2}", code):
                data.append(int(code, 16))
                index += 3
                continue
            if not following:
                raise UnfitNameError(UNPARSABLE)
            sign, index = following, index + 1
        elif sign == '"':
            raise UnfitNameError(UNPARSABLE)
        data += sign.encode("utf-8")
        index += 1
    return data.decode("utf-8", "surrogateescape")


def _without_blanks(value: str) -> str:
    """Strip blanks, but for the last one when it is escaped."""
    stripped = value.strip(" ")
    bare = stripped.rstrip("\\")
    return stripped + " " if (len(stripped) - len(bare)) % 2 else stripped
