"""Run the simulated messaging service until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import Optional, Sequence

from tests.federation.ams.faults import Faults
from tests.federation.ams.server import Diary, Server
from tests.federation.ams.service import Service
from tests.federation.ams.shelf import Shelf


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.federation.ams", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authn-port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True, help="users.json, faults.json, messages, diary")
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--authority", type=Path, required=True, help="the CA whose certificates get tokens")
    parser.add_argument("--topic", required=True, metavar="PROJECT/NAME")
    parser.add_argument("--subscription", required=True, metavar="PROJECT/NAME")
    parser.add_argument("--limit", type=int, required=True, help="bytes of one message")
    parser.add_argument("--clock", type=Path)
    options = parser.parse_args(arguments)

    shelf = Shelf(options.directory / "messages.sqlite")
    shelf.make_topic(options.topic)
    shelf.make_subscription(options.subscription, options.topic)
    service = Service(shelf, options.directory / "users.json", options.limit)
    shared = (
        service,
        Faults(options.directory / "faults.json"),
        Diary(options.directory / "diary.jsonl"),
        (options.certificate, options.key),
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    for port, authority in ((options.authn_port, options.authority), (options.port, None)):
        server = Server(port, *shared, authority, options.clock)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    stopping.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
