"""From what a site wrote to the transport that does it; libraries are imported for the kind that is used."""

from __future__ import annotations

from fedcloud_agent.outbox.settings import AmsDestination, Destination, DirectoryDestination, StompDestination
from fedcloud_agent.outbox.transport import Transport


def open_transport(settings: Destination) -> Transport:
    """Return the transport of a destination. No connection is made yet; files are read, and errors raised for them."""
    if isinstance(settings, AmsDestination):
        from fedcloud_agent.outbox.ams import AmsTransport

        return AmsTransport(settings)
    if isinstance(settings, StompDestination):
        from fedcloud_agent.outbox.stomp import StompTransport

        return StompTransport(settings)
    if isinstance(settings, DirectoryDestination):
        from fedcloud_agent.outbox.directory import DirectoryTransport

        return DirectoryTransport(settings)
    raise TypeError(type(settings).__name__)
