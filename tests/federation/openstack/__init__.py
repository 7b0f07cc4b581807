"""A simulated OpenStack: keystone, nova and glance of one site on one port, with a past that tests can dictate.

``OpenStackSimulator`` starts it; ``Life`` is the truth about one server, against which an accounting is checked.
"""

from __future__ import annotations

from tests.federation.openstack.controller import OpenStackSimulator
from tests.federation.openstack.history import Life, Span

__all__ = ["Life", "OpenStackSimulator", "Span"]
