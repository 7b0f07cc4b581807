"""From a message to the bytes that travel: signed with the host certificate, encrypted where the site asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from fedcloud_agent.outbox.identity import is_id
from fedcloud_agent.outbox.transport import Message
from fedcloud_agent.pki.certificate import load_credential
from fedcloud_agent.pki.receiver import load_receiver
from fedcloud_agent.pki.smime import UnfitError, encrypt, sign


class Seal:
    """The host's credential, and the receiver's certificate if there is one; both are read once."""

    def __init__(
        self,
        certificate: Path,
        key: Path,
        anchors: Path,
        encrypt_for: Optional[Path],
        cipher: str,
        now: Callable[[], int],
    ) -> None:
        """Read the files; ``anchors`` judge the receiver's certificate. Raises ConfigurationError or RefusedError."""
        self.credential = load_credential(certificate, key)
        self._now = now
        self._cipher = cipher
        self._receiver = None
        if encrypt_for is not None:
            self._receiver = load_receiver(encrypt_for, anchors, self.credential.certificate, now())

    def check_validity(self) -> None:
        """Raise RefusedError unless the host certificate is valid now and for another day."""
        self.credential.certificate.check_validity(self._now())

    def wire(self, message: Message) -> bytes:
        """Return the bytes of a message as they travel. Raises UnfitError."""
        if not is_id(message.id):
            raise UnfitError(f"its identity {message.id!r} is not of the form 5ba24c88/5ba24c8f0f129d")
        signed = sign(self.credential, message.body)
        return encrypt(signed, self._receiver, self._cipher) if self._receiver else signed
