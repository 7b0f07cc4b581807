"""The way of one delivery: verified, loaded, written down."""

from __future__ import annotations

import hashlib
from typing import Union

from tests.federation.central.receiver import Receiver, ReceiverDiedError, UnverifiedError
from tests.federation.central.repository import ACCEPTED, LOST, PING, REJECTED, Delivery, Repository


def take(
    repository: Repository, receiver: Receiver, empa_id: str, message: Union[str, bytes], received: float
) -> Delivery:
    """Take one message in and return what was noted of it. Raises ReceiverDiedError, after noting it, where it dies."""

    if empa_id == "ping":
        noted = Delivery(empa_id, received, PING, None, None, _sha256(message), None, 0)
        repository.note(noted)
        return noted
    try:
        body, signer = receiver.verify(message)
    except (UnverifiedError, ReceiverDiedError) as error:
        outcome = REJECTED if isinstance(error, UnverifiedError) else LOST
        named = error.signer if isinstance(error, UnverifiedError) else None
        noted = Delivery(empa_id, received, outcome, str(error), named, _sha256(message), None, 0)
        repository.note(noted)
        if outcome == LOST:
            raise
        return noted
    loaded = repository.load(body, signer)
    noted = Delivery(
        empa_id=empa_id,
        received=received,
        outcome=ACCEPTED if loaded.accepted else REJECTED,
        reason=loaded.reason,
        signer=signer,
        wire_sha256=_sha256(message),
        body_sha256=_sha256(body),
        records=loaded.records,
    )
    repository.note(noted)
    return noted


def _sha256(text: Union[str, bytes]) -> str:
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()
