"""The central repository as a server of the federation in a box."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import List, Sequence, Union

from tests.federation.ams.controller import PROJECT, SUBSCRIPTION, AmsSimulator
from tests.federation.authority import Authority, Credential
from tests.federation.broker import Broker
from tests.federation.central.consumer import CLIENT_INDIVIDUAL
from tests.federation.central.repository import Repository
from tests.federation.controller import PythonServer

QUEUE = "/queue/global.accounting.cloudtest.CENTRAL"


class CentralRepository(PythonServer):
    """Receiver and loader on a broker's queue, or on a subscription of AMS; ``repository()`` shows what they took in.

    ``signers`` are the DNs whose messages are taken. The signatures are verified by openssl, with one command for each
    message; ``faithful`` runs the five of the real receiver.
    """

    name = "central"

    def __init__(
        self,
        directory: Path,
        broker: Union[Broker, AmsSimulator],
        signers: Sequence[str],
        *,
        queue: str = QUEUE,
        ack: str = CLIENT_INDIVIDUAL,
        faithful: bool = False,
        deaf_seconds: float = 600.0,
    ) -> None:
        super().__init__(directory)
        self.broker = broker
        self.authority: Authority = broker.authority
        self.credential: Credential = self.authority.host("central.example.org", file=f"central-{self.port}")
        self.queue = queue
        self.ack = ack
        self.faithful = faithful
        self.deaf_seconds = deaf_seconds
        self.database = directory / "central.sqlite"
        self.dns = directory / "dns"
        self.allow(signers)
        if isinstance(broker, AmsSimulator):
            broker.admit_consumer(self.credential.dn)

    def allow(self, signers: Sequence[str]) -> None:
        """Say whose messages are taken from now on."""
        self.dns.write_text("".join(f"{dn}\n" for dn in signers))

    def repository(self) -> Repository:
        """Open the database beside the running server, to look and to run the summariser; close it afterwards."""
        return Repository(self.database)

    def prepare(self) -> None:
        """Forget that an earlier process was ready."""
        self._pid_file.unlink(missing_ok=True)

    def command(self) -> List[str]:
        """Run this package as a program."""
        return [
            *(sys.executable, "-m", "tests.federation.central"),
            *self._source(),
            *("--cert", str(self.credential.certificate), "--key", str(self.credential.key)),
            *("--capath", str(self.authority.anchors), "--dns", str(self.dns), "--database", str(self.database)),
            *("--pid-file", str(self._pid_file), "--deaf-seconds", str(self.deaf_seconds)),
            *(() if self.faithful else ("--quick",)),
        ]

    def _source(self) -> List[str]:
        address = f"localhost:{self.broker.port}"
        if isinstance(self.broker, AmsSimulator):
            return [
                *("--ams", address, "--authn-port", str(self.broker.authn_port)),
                *("--ca", str(self.authority.certificate), "--subscription", f"{PROJECT}/{SUBSCRIPTION}"),
            ]
        plain = ["--plain"] if self.broker.plain else []
        return ["--broker", address, "--queue", self.queue, "--ack", self.ack, *plain]

    def is_ready(self) -> bool:
        """Tell whether the broker has confirmed the subscription: this server listens on no port."""
        return (
            self.process is not None and self._pid_file.exists() and self._pid_file.read_text() == str(self.process.pid)
        )

    @property
    def _pid_file(self) -> Path:
        return self.directory / "central.pid"
