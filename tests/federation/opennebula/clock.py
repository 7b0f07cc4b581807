"""The Date header of oned's HTTP server."""

from __future__ import annotations

from tests.federation.openstack.clock import http_date


def abyss_date(instant: int) -> str:
    """Return an instant as Abyss writes it: UTC where everybody else says GMT."""
    return http_date(instant)[:-3] + "UTC"
