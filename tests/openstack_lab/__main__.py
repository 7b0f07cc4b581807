"""Bring the lab up, say how to log in, and keep it until it is interrupted."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import time
from pathlib import Path

from tests.openstack_lab.lab import Lab


def main() -> None:
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="openstack-lab-") as directory, Lab(Path(directory)) as lab:
        print(f"up in {time.monotonic() - began:.0f} s below {directory}; end it with Ctrl-C")
        print(f"export OS_AUTH_URL={lab.layout.identity} OS_USERNAME=admin OS_PASSWORD={lab.layout.password}")
        print("export OS_PROJECT_NAME=admin OS_USER_DOMAIN_ID=default OS_PROJECT_DOMAIN_ID=default", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
