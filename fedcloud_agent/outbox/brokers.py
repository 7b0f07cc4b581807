"""The brokers of one destination: which to try next, and how long to try."""

from __future__ import annotations

import logging
import time
from typing import List, Sequence

from fedcloud_agent.errors import AgentError, RefusedError, UnreachableError
from fedcloud_agent.outbox.link import Complaint, Link, Lost, Manner, Receipt
from fedcloud_agent.outbox.patience import Patience
from fedcloud_agent.outbox.tls import Address

log = logging.getLogger(__name__)


class Brokers:
    """A list of brokers that are as good as each other; the one that served last is tried first."""

    def __init__(self, addresses: Sequence[Address], manner: Manner, receipt_timeout: float) -> None:
        self._addresses = list(addresses)
        self._manner = manner
        self._receipt_timeout = receipt_timeout
        self._next = 0

    def reach(self, patience: Patience) -> Link:
        """Return a link to the first broker that lets us in.

        Raises RefusedError when they all refuse us, UnreachableError when patience is spent.
        """
        while True:
            began = time.monotonic()
            errors: List[AgentError] = []
            for _ in self._addresses:
                try:
                    return Link(self._addresses[self._next], self._manner)
                except (UnreachableError, RefusedError) as error:
                    log.debug("%s", error)
                    errors.append(error)
                    self.pass_over()
            if all(isinstance(error, RefusedError) for error in errors) or not patience.failed(began):
                raise _together(errors)

    def pass_over(self) -> None:
        """Begin with the next broker when a link is needed again."""
        self._next = (self._next + 1) % len(self._addresses)

    def await_receipt(self, link: Link, id: str) -> None:
        """Wait for one receipt, heeding nothing else. Raises RefusedError or UnreachableError."""
        deadline = time.monotonic() + self._receipt_timeout
        while True:
            event = link.event(max(deadline - time.monotonic(), 0))
            if isinstance(event, Receipt) and event.id == id:
                return
            if isinstance(event, Complaint):
                raise RefusedError(f"the broker {link.address} refused: {event.text}")
            if isinstance(event, Lost):
                raise link.reason(event)
            if event is None and time.monotonic() >= deadline:
                raise UnreachableError(f"the broker {link.address} gave no receipt within {self._receipt_timeout:g} s")


def _together(errors: Sequence[AgentError]) -> AgentError:
    if len(errors) == 1:
        return errors[0]
    kind = RefusedError if all(isinstance(error, RefusedError) for error in errors) else UnreachableError
    return kind("; ".join(error.message for error in errors), hint=errors[0].hint)
