"""Pseudonyms: other text of the same shape, the same for the same text as long as one recording is made.

A pseudonym has no vowel: letters become consonants, hexadecimal digits lose a and e. So whoever looks at a recording
can tell without any key that a word is none of the site's, but for the rare word that has no vowel by itself.

What follows from nothing but a text's shape stays: its length, where which class of characters stands, how many bytes
UTF-8 needs for each, separators, control characters, bytes that are no UTF-8. Bugs live there.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import unicodedata
from functools import lru_cache
from typing import Dict, Match, Optional, Protocol, Set, Tuple

LOWER = "bcdfghjklmnpqrstvwxz"
UPPER = LOWER.upper()
HEX = "0123456789bcdf"
DIGITS = "0123456789"
SECRET_LENGTH = 32

# characters outside of ASCII become one of these, of the same length in UTF-8
_LOWER_2 = "\xe7\xf1\xf0\xfe\xdf\u0111\u0127\u0137\u0142\u0146\u0159\u015f\u0163\u017e\u017c\u015b"
_UPPER_2 = "\xc7\xd1\xd0\xde\u0110\u0126\u0136\u0141\u0145\u0158\u015e\u0162\u017d\u017b\u015a\u0106"
_OTHER_2 = "\u05d1\u05d2\u05d3\u05d6\u05d7\u05d8\u05db\u05dc\u05de\u05e0\u05e1\u05e4\u05e6\u05e7\u05e8\u05e9"
_LETTER_3 = "".join(map(chr, range(0x4E00, 0x4E40)))
_LETTER_4 = "".join(map(chr, range(0x20000, 0x20040)))
_SYMBOL_3 = "".join(map(chr, range(0x2600, 0x2640)))
_SYMBOL_4 = "".join(map(chr, range(0x1F400, 0x1F440)))
FOREIGN = frozenset(_LOWER_2 + _UPPER_2 + _OTHER_2 + _LETTER_3 + _LETTER_4 + _SYMBOL_3 + _SYMBOL_4)

# Addresses of nobody: documentation where the real one is not routed; where it is, the anycast networks of the relays
# for 6to4 (withdrawn by RFC 7526) and of AS112 (RFC 7534), since whether an address is public is counted.
V4, V4_ROUTED = ipaddress.IPv4Network("198.51.100.0/24"), ipaddress.IPv4Network("192.88.99.0/24")
V6, V6_ROUTED = ipaddress.IPv6Network("2001:db8::/32"), ipaddress.IPv6Network("2620:4f:8000::/48")

_SCHEMES = "https?|ftp|file|ssh|tcp|ldaps?|rbd|swift|cinder|glance|qemu|docker|urn|tag"
_RDN = "DC|CN|O|OU|C|L|ST|UID|SN|GN|E|email|Email|emailAddress|serialNumber|VO|Role|Capability"
PARTS = re.compile(
    rf"(?P<scheme>(?<![^\W_])(?:{_SCHEMES})(?=://))"
    rf"|(?P<rdn>(?:(?<=[/,;+])|(?<=, )|^)(?:{_RDN})(?==))"
    r"|(?P<escape>\\(?:20|09|0[acd]))"
    r"|(?P<uuid>(?<![^\W_])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![^\W_]))"
    r"|(?P<mac>(?<![\w:])[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![\w:]))"
    r"|(?P<v6>(?<![\w:.\\])(?:[0-9a-fA-F]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4})(?![\w:]))"
    r"|(?P<v4>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w))"
    r"|(?P<word>[^\W_]+)"
    r"|(?P<symbol>[\u2190-\u2bff\U0001f000-\U0001faff])"
)
KEPT = frozenset({"scheme", "rdn", "escape"})
_WORD = re.compile(r"[^\W_]+")
_HEXADECIMAL = re.compile(r"(?=.*[a-fA-F])[0-9a-fA-F]{16,}|[0-9a-fA-F]{32}")
_SHORT = 3
_MOST_REMEMBERED = 50_000


def is_somebodys(text: str) -> Optional[bool]:
    """Tell whether an IP address is none of those that pseudonyms are; None when the text is no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return not any(address in network for network in (V4, V4_ROUTED, V6, V6_ROUTED))


class Names(Protocol):
    """What stands for text and secrets: a new name when a recording is made, a judgement when one is checked."""

    def text(self, text: str) -> str:
        """Return what stands for a text."""

    def secret(self, text: str) -> str:
        """Return what stands for a secret."""


class Pseudonyms:
    """The pseudonyms of one recording. Their key is random, and nowhere but in here."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._given: Dict[str, str] = {}
        self._taken: Set[str] = set()
        self._word = lru_cache(maxsize=32768)(self._new_word)

    def text(self, text: str) -> str:
        """Return the pseudonym of a text; of parts that stand in several texts it is the same in all."""
        made = PARTS.sub(self._part, text)
        if ":" in made or made.count(".") > 2:
            # what was no address may have become one by chance
            made = PARTS.sub(self._nobodys, made)
        return made

    def secret(self, text: str) -> str:
        """Return 32 consonants, whatever the secret's length."""
        return "".join(LOWER[n % len(LOWER)] for n in self._stream("secret:" + text, SECRET_LENGTH))

    def _part(self, match: Match[str]) -> str:
        kind, part = match.lastgroup, match.group()
        if kind in KEPT:
            return part
        if kind == "uuid":
            plain = self._hexadecimal(part.replace("-", ""))
            return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
        if kind == "mac":
            plain = self._hexadecimal(part.replace(":", ""))
            return ":".join(plain[at : at + 2] for at in range(0, 12, 2))
        if kind in ("v4", "v6"):
            try:
                return self._address(part)
            except ValueError:
                return _WORD.sub(lambda word: self._any_word(word.group()), part)
        return self._any_word(part)

    def _nobodys(self, match: Match[str]) -> str:
        part = match.group()
        return self._address(part) if match.lastgroup in ("v4", "v6") and is_somebodys(part) else part

    def _any_word(self, word: str) -> str:
        return self._word(word) if len(word) <= 64 else self._new_word(word)

    def _new_word(self, word: str) -> str:
        if _HEXADECIMAL.fullmatch(word):
            return self._hexadecimal(word)
        if word.isascii() and word.isdigit() and len(word) <= 64:
            return self._number(word)
        if len(word) > _SHORT:
            return self._spelt(word, 0)
        return self._distinct(word, self._spelt)

    def _distinct(self, text: str, spell: object) -> str:
        """Return a pseudonym that no other short text has, as long as there are any left."""
        found = self._given.get(text)
        if found is None:
            assert callable(spell)
            found = str(spell(text, 0))
            for attempt in range(1, 400):
                if found not in self._taken:
                    break
                found = str(spell(text, attempt))
            if len(self._given) < _MOST_REMEMBERED:
                self._given[text] = found
                self._taken.add(found)
        return found

    def _spelt(self, word: str, attempt: int) -> str:
        stream = self._stream(f"word{attempt}:{word}", 2 * len(word))
        return "".join(_like(character, stream[2 * at] << 8 | stream[2 * at + 1]) for at, character in enumerate(word))

    def _hexadecimal(self, text: str) -> str:
        """Return other hexadecimal digits; of a UUID, with or without dashes, version and variant stay."""
        plain = text.lower()
        stream = self._stream("hex:" + plain, len(plain))
        digits = [HEX[n % len(HEX)] for n in stream]
        if len(plain) == 32:
            for at in (12, 16):
                digits[at] = {"a": "b", "e": "f"}.get(plain[at], plain[at])
        return "".join(digits).upper() if text.isupper() else "".join(digits)

    def _number(self, text: str) -> str:
        """Return another number of as many digits, for each number another one; zeros at the front stay."""
        digits = text.lstrip("0")
        zeros = text[: len(text) - len(digits)]
        if not digits:
            return text
        if len(digits) == 1:
            offset = 1 + self._stream("digit", 1)[0] % 8
            return zeros + str((int(digits) - 1 + offset) % 9 + 1)
        half = len(digits) // 2
        left, right = int(digits[:half]) - 10 ** (half - 1), int(digits[half:])
        left_size, right_size = 9 * 10 ** (half - 1), 10 ** (len(digits) - half)
        for turn in range(3):
            left = (left + self._integer(f"left{turn}:{len(digits)}:{right}")) % left_size
            right = (right + self._integer(f"right{turn}:{len(digits)}:{left}")) % right_size
        return f"{zeros}{left + 10 ** (half - 1)}{right:0{len(digits) - half}d}"

    def _address(self, text: str) -> str:
        address = ipaddress.ip_address(text)
        if address.version == 4:
            network = V4_ROUTED if address.is_global else V4
            return self._distinct(str(address), lambda one, attempt: self._host(network, one, attempt))
        base = V6_ROUTED if address.is_global else V6
        host = int.from_bytes(self._stream("v6:" + str(address), 8), "big")
        return str(base.network_address + host)

    def _host(self, network: ipaddress.IPv4Network, address: str, attempt: int) -> str:
        return str(network.network_address + 1 + self._integer(f"v4{attempt}:{address}") % 254)

    def _integer(self, text: str) -> int:
        return int.from_bytes(self._stream(text, 64), "big")

    def _stream(self, text: str, length: int) -> bytes:
        data = text.encode("utf-8", "surrogatepass")
        if length <= 64:
            return hmac.digest(self._key, data, "sha512")[:length]
        pieces = [hmac.digest(self._key, b"%d:%b" % (n, data), "sha512") for n in range((length + 63) // 64)]
        return b"".join(pieces)[:length]


@lru_cache(maxsize=4096)
def _alphabet(character: str) -> Tuple[str, ...]:
    """Return the characters of the same class; a character that stands for nothing stays alone."""
    if character.isascii():
        if character.isdigit():
            return tuple(DIGITS)
        if character.isalpha():
            return tuple(LOWER if character.islower() else UPPER)
        return (character,)
    kind = unicodedata.category(character)
    if kind == "Nd":
        zero = ord(character) - unicodedata.digit(character)
        return tuple(chr(zero + n) for n in range(10))
    if "\ud800" <= character <= "\udfff" or kind[0] not in "LS":
        return (character,)
    size = len(character.encode("utf-8"))
    if kind[0] == "S":
        return {3: tuple(_SYMBOL_3), 4: tuple(_SYMBOL_4)}.get(size, (character,))
    if size == 2:
        return tuple({"Ll": _LOWER_2, "Lu": _UPPER_2}.get(kind, _OTHER_2))
    return tuple(_LETTER_3 if size == 3 else _LETTER_4)


def _like(character: str, number: int) -> str:
    alphabet = _alphabet(character)
    return alphabet[number % len(alphabet)]
