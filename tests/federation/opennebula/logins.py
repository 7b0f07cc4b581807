"""Who is it? Sessions are verified as oned's drivers do: digests, login tokens, x509 signatures, server ciphers."""

from __future__ import annotations

import base64
import binascii
import datetime
import time
from typing import Dict, List, Optional, Tuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

from tests.federation.opennebula.people import People, User

SESSION_SECONDS = 900

_SHORT = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.DOMAIN_COMPONENT: "DC",
}


class Logins:
    """Verifies sessions. Tokens live in real time, whatever the clock of the site says."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.session_seconds = float(SESSION_SECONDS)
        self._good: Dict[str, Tuple[int, float]] = {}

    def user_of(self, session: str) -> Optional[User]:
        """Return who calls, None when nobody may know why not."""
        name, colon, token = session.partition(":")
        user = next((user for user in self.people.users.values() if user.name == name), None)
        if not colon or user is None:
            return None
        if user.driver in ("server_cipher", "server_x509"):
            return self._served(user, session, token)
        if not user.enabled or user.driver == "public":
            return None
        if self._kept(user, session) or self._token(user, token):
            return user
        if user.driver == "core":
            good = self.people.profile.digest(token.encode()).hexdigest() == user.password
        elif user.driver == "x509":
            good = self._signed(user, token)
        else:
            good = bool(token) and token == user.password
        if good:
            self._keep(user, session)
        return user if good else None

    def forget(self) -> None:
        """End all sessions that were found good before."""
        self._good.clear()

    def _kept(self, user: User, session: str) -> bool:
        kept = self._good.get(session)
        return kept is not None and kept[0] == user.id and kept[1] > time.time()

    def _keep(self, user: User, session: str) -> None:
        if len(self._good) > 1000:
            self._good.clear()
        self._good[session] = (user.id, time.time() + self.session_seconds)

    def _token(self, user: User, token: str) -> bool:
        return any(token == known and (end < 0 or end > time.time()) for known, end, _ in user.tokens)

    def _served(self, server: User, session: str, token: str) -> Optional[User]:
        """A service of the site speaks for one of its users: neither's flag is looked at but the server's own."""
        name, _, sealed = token.partition(":")
        target = next((user for user in self.people.users.values() if user.name == name), None)
        if target is None or not server.enabled:
            return None
        if self._kept(server, session):
            return target
        told = self._open(server, sealed).rsplit(":", 1)
        if len(told) != 2 or told[0] != f"{server.name}:{name}" or not told[1].isdigit():
            return None
        if int(told[1]) <= time.time():
            return None
        self._keep(server, session)
        return target

    def _open(self, server: User, sealed: str) -> str:
        try:
            data = base64.b64decode(sealed, validate=True)
            if not data or len(data) % 16:
                return ""
            key = server.password[:32].encode()
            start = server.password[:16].encode() if self.people.profile.cipher_iv else bytes(16)
            opener = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor()
            clear = opener.update(data) + opener.finalize()
        except (binascii.Error, ValueError):
            return ""
        pad = clear[-1]
        if not 1 <= pad <= 16 or clear[-pad:] != bytes([pad]) * pad:
            return ""
        return clear[:-pad].decode("utf-8", "replace")

    def _signed(self, user: User, token: str) -> bool:
        try:
            signature, _, pem = base64.b64decode(token).decode("ascii").partition(":")
            certificate = x509.load_pem_x509_certificate(pem.encode())
            key = certificate.public_key()
            if not isinstance(key, rsa.RSAPublicKey):
                return False
            sealed = base64.b64decode(signature)
            clear = key.recover_data_from_signature(sealed, padding.PKCS1v15(), None).decode("utf-8")
        except (binascii.Error, ValueError, InvalidSignature):
            return False
        name, _, expiry = clear.rpartition(":")
        if not _valid(certificate):
            return False
        known = user.password.split("|")
        shown = written(one_line(certificate.subject), self.people.profile.since(4, 0))
        return name == user.name and expiry.isdigit() and int(expiry) > time.time() and shown in known


def _valid(certificate: x509.Certificate) -> bool:
    end = getattr(certificate, "not_valid_after_utc", None)
    if end is None:
        end = certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)
    return bool(end.timestamp() > time.time())


def one_line(name: x509.Name) -> str:
    """Return a distinguished name as ``/C=CZ/O=Example/CN=Someone``."""
    parts: List[str] = []
    for attribute in name:
        short = _SHORT.get(attribute.oid, attribute.oid.dotted_string)
        parts.append(f"/{short}={attribute.value!s}")
    return "".join(parts)


def written(name: str, escape: bool) -> str:
    """Return a name as oned keeps it: blanks as a backslash and their number, before 4.0 left out."""
    return "".join((f"\\{ord(letter):02x}" if escape else "") if letter.isspace() else letter for letter in name)
