"""Where messages go: what a site says of each destination."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Mapping, Optional, Tuple, Type

from fedcloud_agent.settings import (
    AbsolutePath,
    Boolean,
    Choice,
    Duration,
    Integer,
    ListOf,
    Secret,
    SecretFile,
    Size,
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


AMS_NAME = Text("a name of letters, digits, dashes and underscores", pattern=r"[A-Za-z0-9_-]{1,200}")


def _certificate() -> Any:
    return setting(
        AbsolutePath(),
        help="The host certificate (PEM). It signs the messages and shows the other side who we are.",
        default=Path("/etc/grid-security/hostcert.pem"),
    )


def _key() -> Any:
    return setting(
        AbsolutePath(),
        help="Its private key (PEM, without passphrase), not readable by others.",
        default=Path("/etc/grid-security/hostkey.pem"),
    )


def _encrypt_for() -> Any:
    return setting(
        AbsolutePath(),
        help="The certificate (PEM) of the server that receives the messages; they are encrypted for it after they "
        "were signed. Default: not encrypted, only signed.",
        default=None,
        example="/etc/fedcloud-agent/receiver.pem",
    )


def _cipher() -> Any:
    return setting(
        Choice("aes128", "aes192", "aes256"), help="How messages are encrypted for 'encrypt_for'.", default="aes128"
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
    certificate: Path = _certificate()
    key: Path = _key()
    ca_path: Path = setting(
        AbsolutePath(),
        help="The CAs that the broker's certificate is checked against: a directory of hashed names, or a file.",
        default=Path("/etc/grid-security/certificates"),
    )
    encrypt_for: Optional[Path] = _encrypt_for()
    cipher: str = _cipher()
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
class AmsService:
    """A topic of the ARGO Messaging Service (AMS), over HTTPS, and how we are let in."""

    host: str = setting(
        Text("a host name", pattern=r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"),
        help="The messaging service. For trials: msg-devel.argo.grnet.gr.",
        default="msg.argo.grnet.gr",
    )
    port: int = setting(Integer(1, 65535), help="Its port.", default=443)
    authn_port: int = setting(
        Integer(1, 65535),
        help="The port of the authentication service beside it, which gives a token for our certificate.",
        default=8443,
    )
    project: str = setting(AMS_NAME, help="The project that the topic belongs to.")
    topic: str = setting(AMS_NAME, help="The topic.")
    token_file: Optional[Secret] = setting(
        SecretFile(),
        help="A file with a token for the service. Default: a token is had for the host certificate, at each run.",
        default=None,
        example="/etc/fedcloud-agent/ams.token",
    )
    certificate: Path = _certificate()
    key: Path = _key()
    ca_path: Optional[Path] = setting(
        AbsolutePath(),
        help="The CAs that the service's certificate is checked against: a directory of hashed names, or a file. "
        "Default: those of the operating system.",
        default=None,
        example="/etc/grid-security/certificates",
    )
    timeout: int = setting(
        Duration(minimum=1, maximum=600), help="How long the service may take to answer one request.", default=60
    )
    clock_tolerance: int = setting(
        Duration(5, 600),
        help="Nothing is sent while our clock and the service's differ by more: one of the two is wrong.",
        default=60,
    )

    service: ClassVar[str]
    """The kind of service in GOCDB whose Host DN lets us in."""


@dataclass(frozen=True)
class AmsDestination(AmsService, Destination):
    """A topic of the ARGO Messaging Service (AMS), over HTTPS. The defaults are those of EGI's accounting."""

    service: ClassVar[str] = "eu.egi.cloud.accounting"

    project: str = setting(AMS_NAME, help="The project that the topic belongs to.", default="accounting")
    topic: str = setting(
        AMS_NAME, help="The topic that the accounting repository reads.", default="eu-egi-cloud-accounting"
    )
    encrypt_for: Optional[Path] = _encrypt_for()
    cipher: str = _cipher()
    largest_request: int = setting(
        Size(20_000, 20_000_000),
        help="How large one publish request may be; the service refuses what is larger. Messages are made to fit, and "
        "one that does not is split.",
        default=1_000_000,
    )
    give_up_after: int = setting(
        Duration(minimum=1, maximum=86400),
        help="How long a run tries in vain before it leaves the rest to the next run.",
        default=180,
    )

    @property
    def room(self) -> int:
        """How many bytes of body and signature surely fit into one request.

        Base64 makes four bytes of three, twice where a message is encrypted; signing adds one to each line.
        """
        size = self.largest_request * 7 // 10
        return size if self.encrypt_for is None else size * 7 // 10


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


DESTINATIONS: Mapping[str, Type[Destination]] = {
    "ams": AmsDestination,
    "stomp": StompDestination,
    "directory": DirectoryDestination,
}
"""The kinds of destinations, by the word that ``type`` has in the configuration."""
