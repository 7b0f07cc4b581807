"""Verify a signed message as the centre's receiver does: with the same openssl commands, in the same order.

Its habits are kept: any mention of the enveloped type makes a message an encrypted one, the first certificate in the
signature is the signer, and what follows the first blank line of the verified text is the body.
"""

from __future__ import annotations

import quopri
import subprocess
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from tests.federation.central.signature import first_certificate

_ENVELOPED = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_TIMEOUT = 60
_REMEMBERED = 60.0
"""Seconds for which the quick way trusts its last answer about a certificate."""


class Verified(NamedTuple):
    """A message whose signature is good and whose signer is known."""

    body: str
    signer: str
    """The DN in slash form."""


class UnverifiedError(Exception):
    """The message is refused. ``signer`` is known where it was the list of DNs that said no."""

    def __init__(self, reason: str, signer: Optional[str] = None) -> None:
        super().__init__(reason)
        self.signer = signer


class ReceiverDiedError(Exception):
    """The message ends the receiver's connection: an error that it does not expect. The message is lost."""


def read_dns(path: Path) -> List[str]:
    """Return the DNs of a list: one in a line, lines that do not start with a slash are passed over."""
    return [line.strip() for line in path.read_text().splitlines() if line.strip().startswith("/")]


class Receiver:
    """The verification. ``capath`` is a directory of hashed trust anchors, ``dns`` the list of allowed signers.

    ``certificate`` and ``key`` are the server's own, for messages that are encrypted. ``quick`` gives the same answers
    with one command in place of five: the signature is read here, and a certificate is looked at once a minute.
    """

    def __init__(
        self,
        capath: Path,
        dns: Path,
        certificate: Optional[Path] = None,
        key: Optional[Path] = None,
        *,
        check_crls: bool = False,
        quick: bool = False,
    ) -> None:
        self.capath = capath
        self.dns = dns
        self.certificate = certificate
        self.key = key
        self.check_crls = check_crls
        self.quick = quick
        self._remembered: Dict[str, Tuple[float, bool]] = {}

    def verify(self, message: Union[str, bytes]) -> Verified:
        """Return body and signer. Raises UnverifiedError, or ReceiverDiedError where the real one falls over.

        The list of DNs is read again for each message; the real one reads it every ten minutes.
        """
        try:
            text = message.decode("ascii") if isinstance(message, bytes) else message
            if not text:
                raise UnverifiedError("Empty text passed to _handle_msg.")
            if any(name in text for name in _ENVELOPED):
                text = self._decrypted(text)
            verified = self._verified(text)
        except (ValueError, AttributeError) as error:
            raise ReceiverDiedError(str(error)) from error
        if verified.signer not in read_dns(self.dns):
            raise UnverifiedError(f"Signer not in valid DNs list: {verified.signer}", verified.signer)
        return verified

    def _decrypted(self, text: str) -> str:
        if self.certificate is None or self.key is None:
            return ""
        return _openssl(f"{text}\n\n", "smime", "-decrypt", "-recip", str(self.certificate), "-inkey", str(self.key))[0]

    def _verified(self, text: str) -> Verified:
        text += "\n\n"  # an empty text would leave openssl waiting
        signer = (first_certificate(text) if self.quick else None) or _signer(text)
        if not self._is_trusted(signer):
            raise UnverifiedError("Failed to verify message: Unverified signer")
        output, diagnosis = _openssl(text, "smime", "-verify", "-CApath", str(self.capath), "-noverify")
        lines = output.strip().splitlines()
        if "" not in lines:
            raise UnverifiedError("Failed to verify message: No blank line between message header and body")
        blank = lines.index("")
        headers, body = "\n".join(lines[:blank]), "\n".join(lines[blank + 1 :])
        if "quoted-printable" in headers:
            body = quopri.decodestring(body).decode()
        elif "base64" in headers:
            raise ReceiverDiedError("module 'base64' has no attribute 'decodestring'")
        if "Verification successful" not in diagnosis:
            raise UnverifiedError(f"Failed to verify message: Possible tampering. See OpenSSL error: {diagnosis}")
        return Verified(body, _subject(signer))

    def _is_trusted(self, certificate: str) -> bool:
        if self.quick:
            when, answer = self._remembered.get(certificate, (0.0, False))
            if when and time.monotonic() - when < _REMEMBERED:
                return answer
        crls = ("-crl_check_all",) if self.check_crls else ()
        output, _ = _openssl(certificate, "verify", "-CApath", str(self.capath), *crls)
        answer = "OK" in output and "error" not in output
        self._remembered[certificate] = (time.monotonic(), answer)
        return answer


_subjects: Dict[str, str] = {}


def _subject(certificate: str) -> str:
    if certificate not in _subjects:
        output, diagnosis = _openssl(certificate, "x509", "-noout", "-subject", "-nameopt", "compat")
        if not output:
            raise UnverifiedError(f"Failed to verify message: {diagnosis}")
        _subjects[certificate] = output.strip().partition("=")[2].strip()
    return _subjects[certificate]


def _signer(text: str) -> str:
    signature, _ = _openssl(f"{text}\n\n", "smime", "-pk7out")
    return _openssl(signature, "pkcs7", "-print_certs")[0]


def _openssl(text: str, *arguments: str) -> Tuple[str, str]:
    ended = subprocess.run(
        ["openssl", *arguments], input=text, capture_output=True, encoding="utf-8", timeout=_TIMEOUT, check=False
    )
    return ended.stdout, ended.stderr
