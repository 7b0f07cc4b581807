"""What accounting asks of a destination, from what the site wrote of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, Iterator, List

from fedcloud_agent.accounting.packing import TIDIED, Limits
from fedcloud_agent.accounting.record import HEADER
from fedcloud_agent.accounting.settings import AccountingSettings
from fedcloud_agent.errors import CannotCreateError, RefusedError
from fedcloud_agent.outbox.identity import new_id
from fedcloud_agent.outbox.settings import AmsDestination, DirectoryDestination, StompDestination
from fedcloud_agent.outbox.transport import Departing, Message, Outcome, Transport, unnoted


def limits_of(settings: AccountingSettings, destination: Any) -> Limits:
    """Return how messages to a destination are made.

    When another program sends, nobody knows when: then a month is closed the moment it is over.
    """
    tidied = 0 if isinstance(destination, DirectoryDestination) else TIDIED
    size = settings.message_size
    if isinstance(destination, AmsDestination):
        size = min(size, destination.room)
    return Limits(settings.record_version, settings.records_per_message, size, tidied)


def preferred_peers(destination: Any) -> List[str]:
    """Return the peers of a destination in the order of preference, as outcomes name them."""
    if isinstance(destination, StompDestination):
        from fedcloud_agent.outbox.tls import parse_address

        return [str(parse_address(url)) for url in destination.brokers]
    return []


def ping(transport: Transport, version: str) -> str:
    """Send a signed message without a record, which the repository takes as nothing, and return who took it.

    Proves key, certificate, broker and queue. Raises what the transport raises, RefusedError when it is refused.
    """
    message = Message(new_id(), HEADER.format(version=version).encode("ascii"))
    for outcome in transport.deliver([message]):
        if outcome.acknowledged:
            return outcome.peer
        raise RefusedError(f"the message without a record was refused: {outcome.reason}")
    return transport.ping()


class FileTransport(Transport):
    """The end of a dry run: message bodies go into one new file, as they would leave, one after the other."""

    def __init__(self, path: Path) -> None:
        """Make the file. Raises CannotCreateError, also when it is there already."""
        self._path = path
        try:
            path.open("xb").close()
        except OSError as error:
            raise CannotCreateError(
                f"{path} cannot be written: {error.strerror}", hint="name a file that does not exist yet"
            ) from error

    def deliver(self, messages: Iterable[Message], departing: Departing = unnoted) -> Iterator[Outcome]:
        """Append each body to the file; everything is acknowledged."""
        with self._path.open("ab") as file:
            for message in messages:
                file.write(message.body)
                yield Outcome(message.id, True, str(self._path), "")

    def ping(self) -> str:
        """Return the file."""
        return str(self._path)
