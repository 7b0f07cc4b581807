"""TLS to a broker: the host certificate as ours, its chain and its name verified, and every refusal in plain words."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Optional
from urllib.parse import urlsplit

from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError, UnreachableError

_PORTS = {"stomp+ssl": 6162, "stomp": 6163}

# X509_V_ERR_* of OpenSSL's x509_vfy.h
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21)
_REVOKED = 23
_WRONG_NAME = (62, 64)


@dataclass(frozen=True)
class Address:
    """A broker: host, port, and whether TLS is spoken there."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(url: str) -> Address:
    """Return the address in ``stomp+ssl://host:port`` or ``stomp://host:port``."""
    parts = urlsplit(url)
    return Address(parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme == "stomp+ssl")


def client_context(certificate: Path, key: Path, ca_path: Path) -> ssl.SSLContext:
    """Return a context that shows our certificate and verifies the other side's chain and host name.

    Raises ConfigurationError when the certificates cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # an empty passphrase, so that a protected key is an error and not a question on the terminal
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"the certificate {certificate} with the key {key} cannot be used for TLS: {error}",
            hint="check that both files are PEM and belong together",
        ) from error
    try:
        if ca_path.is_dir():
            context.load_verify_locations(capath=str(ca_path))
        else:
            context.load_verify_locations(cafile=str(ca_path))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"the CA certificates {ca_path} cannot be read: {error}",
            hint="install the trust anchors of the grid, or set 'ca_path' to a directory or file of CA certificates",
        ) from error
    return context


def dial(address: Address, context: Optional[ssl.SSLContext], ca_path: Path, timeout: float) -> socket.socket:
    """Return a connected socket, after TLS was agreed where the address asks for it.

    Raises UnreachableError or RefusedError, naming the broker and what to do.
    """
    try:
        connection = socket.create_connection((address.host, address.port), timeout)
    except socket.gaierror as error:
        raise UnreachableError(
            f"the broker {address} has no address: {error.strerror}", hint="check the name"
        ) from error
    except OSError as error:
        raise UnreachableError(
            f"the broker {address} cannot be reached: {_words(error, timeout)}",
            hint="check that this host may connect there (firewall, proxy) and that the port is right",
        ) from error
    try:
        # without it each receipt waits some 45 ms for the acknowledgement of a packet half full
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.tls:
            assert context is not None
            connection = context.wrap_socket(connection, server_hostname=address.host)
    except OSError as error:
        connection.close()
        raise explain(error, address, ca_path, timeout) from error
    return connection


def explain(error: OSError, address: Address, ca_path: Path, timeout: float) -> AgentError:
    """Return, in the words of an administrator, what went wrong with a TLS connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unverified(error, address, ca_path)
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").upper()
        if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason or "ACCESS_DENIED" in reason):
            said = reason.split("ALERT_")[-1].lower().replace("_", " ")
            return RefusedError(
                f"the broker {address} refused our certificate: {said}",
                hint="its CA must be known to the broker, and it must not be expired or revoked there",
            )
        if reason == "WRONG_VERSION_NUMBER":
            return UnreachableError(
                f"the broker {address} does not speak TLS on this port",
                hint="use the port of STOMP over TLS (often 6162)",
            )
    return UnreachableError(
        f"the broker {address} ended the connection: {_words(error, timeout)}",
        hint="where it does so at once, it may not know our certificate; its administrators can see why in its log",
    )


def _unverified(error: ssl.SSLCertVerificationError, address: Address, ca_path: Path) -> RefusedError:
    code = error.verify_code
    if code in _WRONG_NAME:
        return RefusedError(
            f"the certificate that {address} shows is not for the name {address.host}",
            hint="give the broker's name as its certificate has it",
        )
    if code == _EXPIRED:
        return RefusedError(
            f"the certificate that {address} shows has expired (or that of its CA)",
            hint="its administrators have to renew it; check also the clock of this host",
        )
    if code == _NOT_YET_VALID:
        return RefusedError(
            f"the certificate that {address} shows is not valid yet", hint="check the clock of this host"
        )
    if code == _REVOKED:
        return RefusedError(f"the certificate that {address} shows was revoked by its CA")
    if code in _UNKNOWN_ISSUER:
        return RefusedError(
            f"the certificate that {address} shows was issued by no CA of {ca_path}",
            hint=f"install its CA in {ca_path}, under its hash (openssl rehash), if you trust it",
        )
    return RefusedError(f"the certificate that {address} shows cannot be verified: {error.verify_message}")


def _words(error: OSError, timeout: float) -> str:
    if isinstance(error, (socket.timeout, TimeoutError)):
        return f"no answer within {timeout:g} s"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return error.strerror or str(error) or type(error).__name__
