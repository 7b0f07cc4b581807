"""A simulated OpenStack with odd servers, and the plugin's settings for it."""

from __future__ import annotations

from tests.integration.openstack.conftest import site

__all__ = ["site"]
