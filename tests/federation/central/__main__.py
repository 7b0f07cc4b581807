"""Run the central repository's receiver and loader on a broker's queue, or on a subscription of the messaging service.

It ends when it is told to stop.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

from tests.federation.central.consumer import AUTO, CLIENT_INDIVIDUAL, Consumer
from tests.federation.central.puller import Puller
from tests.federation.central.receiver import Receiver
from tests.federation.central.repository import Repository

log = logging.getLogger("central")


def _address(text: str) -> Tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.federation.central", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--broker", type=_address, action="append", metavar="HOST:PORT")
    source.add_argument("--ams", type=_address, metavar="HOST:PORT")
    parser.add_argument("--authn-port", type=int, help="where AMS gives tokens")
    parser.add_argument("--ca", type=Path, help="file of the authority that AMS shows a certificate of")
    parser.add_argument("--subscription", metavar="PROJECT/NAME")
    parser.add_argument("--plain", action="store_true", help="speak STOMP without TLS")
    parser.add_argument("--cert", type=Path, required=True, help="certificate of the centre, for TLS and decryption")
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--capath", type=Path, required=True, help="directory of hashed trust anchors")
    parser.add_argument("--dns", type=Path, required=True, help="file of the DNs that may sign, one in a line")
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--queue", default="/queue/global.accounting.cloud.CENTRAL")
    parser.add_argument("--ack", choices=(AUTO, CLIENT_INDIVIDUAL), default=CLIENT_INDIVIDUAL)
    parser.add_argument("--deaf-seconds", type=float, default=600.0)
    parser.add_argument("--quick", action="store_true", help="one openssl command for each message in place of five")
    parser.add_argument("--pid-file", type=Path, help="written whenever the subscription stands")
    return parser.parse_args(arguments)


def _consumer(options: argparse.Namespace, repository: Repository, receiver: Receiver) -> Union[Consumer, Puller]:
    if options.ams:
        return Puller(repository, receiver, options.ams, options.authn_port, options.subscription, options.ca)
    return Consumer(
        repository,
        receiver,
        options.broker,
        options.queue,
        tls=not options.plain,
        ack=options.ack,
        deaf_seconds=options.deaf_seconds,
    )


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _arguments(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    log.setLevel(logging.INFO)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    receiver = Receiver(options.capath, options.dns, options.cert, options.key, quick=options.quick)
    with Repository(options.database) as repository:
        consumer = _consumer(options, repository, receiver)

        def say(what: str, listening: bool) -> None:
            log.info("%s", what)
            if listening and options.pid_file:
                options.pid_file.write_text(str(os.getpid()))

        consumer.serve(stopping, say)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
