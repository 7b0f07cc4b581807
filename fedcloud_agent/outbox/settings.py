"""Where messages go: what a site says of each destination."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Tuple, Type

from fedcloud_agent.settings import (
    AbsolutePath,
    Boolean,
    Choice,
    Duration,
    Integer,
    ListOf,
    Text,
    Url,
    setting,
)


@dataclass(frozen=True)
class Destination:
    """What every destination has."""

    send: bool = setting(
        Boolean(),
        help="Whether messages leave. With false they are made and kept, and go when it becomes true.",
        default=True,
    )


@dataclass(frozen=True)
class StompDestination(Destination):
    """A queue of a message broker that speaks STOMP 1.1, over TLS with the host certificate of this machine."""

    brokers: Tuple[str, ...] = setting(
        ListOf(Url("stomp+ssl", "stomp"), minimum=1),
        help="The brokers, tried in this order. The port is 6162 with stomp+ssl, 6163 with stomp, unless it is given.",
        example=["stomp+ssl://broker.example.org:6162"],
    )
    queue: str = setting(
        Text("a queue such as /queue/global.accounting.cloud.CENTRAL", pattern=r"/(queue|topic)/[\x21-\x7e]{1,200}"),
        help="The queue that the accounting repository reads.",
        default="/queue/global.accounting.cloud.CENTRAL",
    )
    certificate: Path = setting(
        AbsolutePath(),
        help="The host certificate (PEM). It signs the messages and shows the broker who we are.",
        default=Path("/etc/grid-security/hostcert.pem"),
    )
    key: Path = setting(
        AbsolutePath(),
        help="Its private key (PEM, without passphrase), not readable by others.",
        default=Path("/etc/grid-security/hostkey.pem"),
    )
    ca_path: Path = setting(
        AbsolutePath(),
        help="The CAs that the broker's certificate is checked against: a directory of hashed names, or a file.",
        default=Path("/etc/grid-security/certificates"),
    )
    encrypt_for: Optional[Path] = setting(
        AbsolutePath(),
        help="The certificate (PEM) of the server that receives the messages; they are encrypted for it after they "
        "were signed. Default: not encrypted, only signed.",
        default=None,
        example="/etc/fedcloud-agent/receiver.pem",
    )
    cipher: str = setting(
        Choice("aes128", "aes192", "aes256"), help="How messages are encrypted for 'encrypt_for'.", default="aes128"
    )
    window: int = setting(
        Integer(1, 1000, unit="messages"), help="How many messages may wait for their receipt at once.", default=64
    )
    connect_timeout: int = setting(
        Duration(minimum=1, maximum=300), help="How long one broker may take to let us in.", default=10
    )
    receipt_timeout: int = setting(
        Duration(minimum=1, maximum=3600),
        help="How long a message waits for its receipt before we connect anew and send it again.",
        default=60,
    )
    heartbeat: int = setting(
        Duration(minimum=0, maximum=600),
        help="How often each side shows the other that it is there; a side silent for half as long again has gone. "
        "0s: never.",
        default=20,
    )
    give_up_after: int = setting(
        Duration(minimum=1, maximum=86400),
        help="How long a run tries in vain, through all brokers, before it leaves the rest to the next run.",
        default=180,
    )


@dataclass(frozen=True)
class DirectoryDestination(Destination):
    """A directory from which another program sends: ssmsend, which signs the messages itself."""

    path: Path = setting(
        AbsolutePath(),
        help="The directory; it must exist and be writable for the user fedcloud, and readable for the other program.",
        default=Path("/var/spool/apel/outgoing"),
    )
    layout: str = setting(
        Choice("dirq", "directory"),
        help="How the other program reads it, as 'path_type' of ssmsend: dirq (with locks) or directory (any file).",
        default="dirq",
    )


DESTINATIONS: Mapping[str, Type[Destination]] = {"stomp": StompDestination, "directory": DirectoryDestination}
"""The kinds of destinations, by the word that ``type`` has in the configuration."""
