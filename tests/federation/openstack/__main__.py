"""Run the simulated site: ``python -m tests.federation.openstack --port 35357 --state site.json``."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from pathlib import Path

from tests.federation.openstack.server import Server


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--state", type=Path, action="append", default=[], help="JSON, as the control verb load takes it"
    )
    parser.add_argument("--certificate", type=Path, help="serve https with this certificate (PEM)")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--dumb", action="store_true", help="answer nobody but the control, until clear_faults")
    options = parser.parse_args()
    # The rows of a large site are no garbage: to walk through them at every turn would cost more than the answers.
    gc.set_threshold(50000, 20, 100)
    server = Server(options.port, options.certificate, options.key)
    server.load(options.state)
    if options.dumb:
        server.control.run("fault", {"kind": "drop", "count": None})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"serving on 127.0.0.1:{options.port}", flush=True)
    server.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
