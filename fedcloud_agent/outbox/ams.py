"""Delivery to a topic of the ARGO Messaging Service: one message at a time, each held until the service numbered it."""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from pathlib import Path
from typing import Callable, Iterable, Iterator, Union

from fedcloud_agent.clock import now as wall_clock
from fedcloud_agent.errors import RefusedError, RemoteDataError, UnreachableError
from fedcloud_agent.http import HungUpError
from fedcloud_agent.outbox.patience import Patience
from fedcloud_agent.outbox.sealing import Seal
from fedcloud_agent.outbox.settings import AmsDestination
from fedcloud_agent.outbox.topic import Topic, request_of
from fedcloud_agent.outbox.transport import (
    REFUSALS_IN_A_ROW,
    TAKEN_BY_ALL,
    Departing,
    Message,
    Outcome,
    Transport,
    unnoted,
)
from fedcloud_agent.pki.smime import UnfitError

log = logging.getLogger(__name__)

CUTS_BEFORE_VERDICT = 3
_ANCHORS = Path("/etc/grid-security/certificates")


class AmsTransport(Transport):
    """One topic of one service."""

    def __init__(self, settings: AmsDestination, *, now: Callable[[], int] = wall_clock) -> None:
        """Read the certificates; no connection is made yet. Raises ConfigurationError or RefusedError."""
        self._settings = settings
        self._now = now
        self._seal = Seal(
            settings.certificate,
            settings.key,
            settings.ca_path or _ANCHORS,
            settings.encrypt_for,
            settings.cipher,
            now,
        )

    def deliver(self, messages: Iterable[Message], departing: Departing = unnoted) -> Iterator[Outcome]:
        """Publish messages one after the other; see :meth:`Transport.deliver`."""
        self._seal.check_validity()
        source = iter(messages)
        first = next(source, None)
        if first is None:
            return
        patience = Patience(self._settings.give_up_after)
        refusals = 0
        with contextlib.closing(self._topic()) as topic:
            _knock(topic, patience)
            topic.check_clock()
            for message in itertools.chain([first], source):
                outcome = self._publish(topic, message, departing, patience)
                yield outcome
                refusals = 0 if outcome.acknowledged else refusals + _speaks_against_them(outcome, message)
                if refusals >= REFUSALS_IN_A_ROW:
                    raise RefusedError(
                        f"{topic.peer} refused {refusals} messages in a row, the last one because: {outcome.reason}",
                        hint="so the cause may not lie in them; what was not answered waits for the next run",
                    )
                topic.check_clock()

    def ping(self) -> str:
        """Have a token and show it with a request that publishes nothing."""
        self._seal.check_validity()
        with contextlib.closing(self._topic()) as topic:
            topic.knock()
            topic.check_clock()
            return topic.peer

    def _topic(self) -> Topic:
        return Topic(self._settings, self._seal.credential.certificate.dn, self._now)

    def _publish(self, topic: Topic, message: Message, departing: Departing, patience: Patience) -> Outcome:
        """Publish one message, with the same bytes until it is answered."""
        try:
            request = request_of(message.id, self._seal.wire(message))
        except UnfitError as error:
            return Outcome(message.id, False, "", str(error))
        if len(request) > self._settings.largest_request:
            reason = f"its request has {len(request)} bytes, 'largest_request' is {self._settings.largest_request}"
            return Outcome(message.id, False, "", reason, too_large=True)
        departing([message.id])
        cuts = 0
        while True:
            began = time.monotonic()
            try:
                outcome = topic.publish(message.id, request)
            except (UnreachableError, RemoteDataError) as error:
                cuts += isinstance(error, HungUpError) and len(request) > TAKEN_BY_ALL
                if cuts >= CUTS_BEFORE_VERDICT and _is_well(topic):
                    reason = f"{topic.peer} hangs up whenever this request of {len(request)} bytes comes"
                    return Outcome(message.id, False, "", reason, too_large=True)
                _wait(patience, began, error)
            else:
                patience.progress()
                return outcome


def _speaks_against_them(outcome: Outcome, message: Message) -> bool:
    """Tell whether a refusal, if there are more like it, is rather the service's fault than the message's."""
    return bool(outcome.peer) and not (outcome.too_large and len(message.body) > TAKEN_BY_ALL)


def _knock(topic: Topic, patience: Patience) -> None:
    while True:
        began = time.monotonic()
        try:
            topic.knock()
        except (UnreachableError, RemoteDataError) as error:
            _wait(patience, began, error)
        else:
            patience.progress()
            return


def _wait(patience: Patience, began: float, error: Union[UnreachableError, RemoteDataError]) -> None:
    """Pause before another try, or raise ``error`` when patience is spent."""
    log.debug("%s", error)
    if not patience.failed(began):
        raise error


def _is_well(topic: Topic) -> bool:
    try:
        topic.knock()
    except (UnreachableError, RemoteDataError) as error:
        log.debug("%s", error)
        return False
    return True
