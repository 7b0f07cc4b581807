"""Run the simulated oned: ``python -m tests.federation.opennebula --port 2633 --control-port 2699 --profile 6.10``."""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
import threading
from http.server import HTTPServer
from pathlib import Path
from typing import List

from tests.federation.opennebula.control import Control
from tests.federation.opennebula.control_server import ControlServer
from tests.federation.opennebula.profiles import PROFILES
from tests.federation.opennebula.proxy import ProxyServer
from tests.federation.opennebula.server import OnedServer
from tests.federation.opennebula.site import Site


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="6.10")
    parser.add_argument("--state", type=Path, action="append", default=[], help="JSON, as the verb load takes it")
    parser.add_argument("--proxy-port", type=int, help="also serve https with authentication, as StratusLab does")
    parser.add_argument("--certificate", type=Path, help="PEM, of the proxy")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--client-authority", type=Path, help="PEM: whose client certificates the proxy takes")
    parser.add_argument("--dumb", action="store_true", help="answer nobody but the control, until clear_faults")
    options = parser.parse_args()
    gc.set_threshold(50000, 20, 100)
    site = Site(PROFILES[options.profile], f"http://127.0.0.1:{options.port}/RPC2")
    control = Control(site)
    for path in options.state:
        control.run("load", json.loads(path.read_text()))
    if options.dumb:
        control.run("fault", {"kind": "drop", "count": None})
    servers: List[HTTPServer] = [ControlServer(options.control_port, control)]
    if options.proxy_port:
        servers.append(
            ProxyServer(options.proxy_port, site, options.certificate, options.key, options.client_authority)
        )
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    oned = OnedServer(options.port, site)
    print(f"oned {site.profile.text} on 127.0.0.1:{options.port}", flush=True)
    oned.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
