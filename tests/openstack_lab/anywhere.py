"""A network driver without a network, for the lab's neutron. Runs under Debian's Python, beside neutron itself."""

from __future__ import annotations

from typing import Any

from neutron_lib import constants
from neutron_lib.plugins.ml2 import api
from sqlalchemy import orm


class Anywhere(api.MechanismDriver):
    """Says of every port that it is wired: floating addresses need a port, and nobody sends a packet."""

    def initialize(self) -> None:
        # the relation between ports and their forwardings is declared here, and neutron 21 lists no port without it
        from neutron.db.models import port_forwarding  # noqa: F401

        orm.configure_mappers()

    def bind_port(self, context: Any) -> None:
        for segment in context.segments_to_bind[:1]:
            context.set_binding(segment[api.ID], "ovs", {}, status=constants.PORT_STATUS_ACTIVE)
