from __future__ import annotations

import threading
from typing import Iterator

import pytest

from fedcloud_agent.http import Bounds, Client
from tests.unit.http.serving import Server


@pytest.fixture()
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture()
def client() -> Iterator[Client]:
    made = Client(Bounds(timeout=2, deadline=5, size=100_000, retries=3, backoff=0.01))
    yield made
    made.close()
