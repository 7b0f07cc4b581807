"""The central accounting repository: receiver, loader and summariser, each as strict and as lax as the real one."""

from __future__ import annotations

from tests.federation.central.loader import CloudRecord
from tests.federation.central.repository import CloudSummary, Delivery, Loaded, Repository
from tests.federation.central.summariser import Usage

__all__ = ["CloudRecord", "CloudSummary", "Delivery", "Loaded", "Repository", "Usage"]
