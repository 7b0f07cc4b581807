"""One HTTP exchange within bounds, repeated while the peer is out of service."""

from __future__ import annotations

import http.client
import io
import logging
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any, Dict, Generator, Iterator, Mapping, Optional, Tuple, Union
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError, RemoteDataError, UnreachableError
from fedcloud_agent.http.answer import Answer, http_date, place_of
from fedcloud_agent.http.witness import witness_of, witnessed

log = logging.getLogger(__name__)

BUSY = frozenset({429, 503})
"""The peer did not do what was asked, and says so: every method may be repeated."""
FAILED = frozenset({500, 502, 504})
"""Nobody knows what was done: only a method that changes nothing may be repeated."""
SAFE = frozenset({"GET", "HEAD"})
_PIECE = 65536


@dataclass(frozen=True)
class Bounds:
    """What a call may cost. Times in seconds; ``size`` in bytes of one answer's body."""

    timeout: float = 60.0
    """To connect, and between two pieces of an answer."""
    deadline: float = 300.0
    """One call in all, with its repetitions and pauses."""
    size: int = 256 * 1024 * 1024
    retries: int = 3
    backoff: float = 1.0
    """The first pause; each one is twice as long as the one before it."""


def _pause_asked(headers: Mapping[str, str]) -> Optional[float]:
    """Return the seconds that a Retry-After header asks for, or None when it says nothing that can be read."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, http_date(text) - time.time())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class HungUpError(UnreachableError):
    """The peer ended the connection before it answered: nobody knows what was done."""


class CutOffError(RemoteDataError):
    """An answer ended before its announced end."""


class LargeError(RemoteDataError):
    """An answer is larger than we are ready to read."""


class SlowError(UnreachableError):
    """An answer did not come, or did not come to its end, in time."""


class FailedError(UnreachableError):
    """The peer answered that it failed: ``status`` is 429 or 5xx."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class BoundedAdapter(HTTPAdapter):
    """One exchange within bounds, repeated while the peer is out of service and the deadline allows.

    Raises AgentErrors itself, so that no library on top can mistake them for something to try again. An answer that
    still says 5xx or 429 at the end raises UnreachableError; every other status is returned.
    """

    def __init__(self, bounds: Bounds, harmless: Tuple[str, ...] = ()) -> None:
        super().__init__()
        self.bounds = bounds
        self.harmless = harmless
        self.stopped = threading.Event()
        self._known_proxies: Dict[str, Mapping[str, str]] = {}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Union[None, float, Tuple[float, float], Tuple[float, None]] = None,
        verify: Union[bool, str] = True,
        cert: Union[None, bytes, str, Tuple[Union[bytes, str], Union[bytes, str]]] = None,
        proxies: Optional[Mapping[str, str]] = None,
    ) -> requests.Response:
        """Exchange ``request`` for an answer; time limits are our own.

        Its body is wholly read, unless ``stream`` is asked for and the status is 200: then :func:`pieces_of` gives it.
        """
        end = time.monotonic() + self.bounds.deadline
        place = place_of(request.url)
        safe = request.method in SAFE or place.endswith(self.harmless)
        chosen = proxies or self._proxies(request.url or "")
        for attempt in range(self.bounds.retries + 1):
            pause: Optional[float] = None
            began = time.monotonic()
            try:
                answer = self._exchange(request, end, verify, cert, chosen, stream)
            except CutOffError as error:
                failure: AgentError = error
                repeat = safe
            except UnreachableError as error:
                failure = error
                # a connection that was never made did nothing; a silence may have done anything
                repeat = safe or isinstance(error.__cause__, requests.exceptions.ConnectTimeout)
            else:
                took = time.monotonic() - began
                log.debug("%s %s: %d in %.2f s", request.method, place, answer.status_code, took)
                if answer.status_code not in BUSY | FAILED:
                    return answer
                said = Answer(place, answer.status_code, answer.headers, answer.content).explanation()
                failure = FailedError(
                    f"{place} answered {answer.status_code}" + (f": {said}" if said else ""), answer.status_code
                )
                repeat = safe or answer.status_code in BUSY
                pause = _pause_asked(answer.headers) if answer.status_code in BUSY else None
            if pause is None:
                pause = self.bounds.backoff * 2**attempt
            if not repeat or attempt == self.bounds.retries or time.monotonic() + pause >= end:
                raise failure
            log.info("%s; trying again in %.1f s", failure.message, pause)
            if self.stopped.wait(pause):
                raise failure
        raise AssertionError("a loop of at least one turn ends inside")

    def _proxies(self, url: str) -> Mapping[str, str]:
        """Return the proxies that the environment has for the host of ``url``, which is looked up once."""
        host = "://".join(urlsplit(url)[:2])
        if host not in self._known_proxies:
            self._known_proxies[host] = get_environ_proxies(url, no_proxy=None)
        return self._known_proxies[host]

    def _exchange(
        self,
        request: requests.PreparedRequest,
        end: float,
        verify: Any,
        cert: Any,
        proxies: Mapping[str, str],
        stream: bool,
    ) -> requests.Response:
        witness = witness_of(request)
        try:
            response = self._head(request, end, verify, cert, proxies)
        except AgentError as error:
            if witness is not None:
                witness.ended(error)
            raise
        pieces = self._pieces(response, place_of(request.url), end)
        if witness is not None:
            witness.answered(response.status_code, tuple(response.headers.items()))
            pieces = witnessed(pieces, witness)
        if stream and response.status_code == 200:
            response.pieces = pieces  # type: ignore[attr-defined]
        else:
            response.raw = io.BytesIO(b"".join(pieces))
        return response

    def _head(
        self, request: requests.PreparedRequest, end: float, verify: Any, cert: Any, proxies: Mapping[str, str]
    ) -> requests.Response:
        """Send a request, and return its answer once the status and the headers are there."""
        place = place_of(request.url)
        left = min(self.bounds.timeout, max(0.001, end - time.monotonic()))
        try:
            return super().send(request, stream=True, timeout=(left, left), verify=verify, cert=cert, proxies=proxies)
        except requests.exceptions.SSLError as error:
            raise _explained(error, place) from error
        except requests.exceptions.Timeout as error:
            raise SlowError(f"{place} did not answer within {left:.0f} s") from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            if any(isinstance(part, urllib3.exceptions.ProtocolError) for part in error.args):
                raise HungUpError(f"{place} ended the connection without an answer: {root_of(error)}") from error
            raise UnreachableError(f"{place} cannot be reached: {root_of(error)}") from error
        except OSError as error:
            # requests complains so about a bundle of certificates, or a key, that is not there
            raise ConfigurationError(f"{place} cannot be called: {error}") from error

    def _pieces(self, response: requests.Response, place: str, end: float) -> Generator[bytes, None, None]:
        """Yield the body piece by piece as they arrive, so that a drip cannot outlast the deadline.

        Whoever stops before the end gives the generator back with close(), which ends the connection.
        """
        raw = response.raw
        source: http.client.HTTPResponse = raw._original_response
        size = 0
        try:
            while True:
                piece = source.read1(_PIECE)
                if not piece:
                    break
                size += len(piece)
                if size > self.bounds.size:
                    raise LargeError(f"{place} answered more than {self.bounds.size} bytes; we stopped reading")
                if time.monotonic() > end:
                    raise SlowError(f"{place} took more than {self.bounds.deadline:.0f} s to answer")
                yield piece
            if source.length:
                raise CutOffError(f"{place} broke off its answer {source.length} bytes before the end")
        except (http.client.HTTPException, ConnectionError) as error:
            raw.close()
            raise CutOffError(f"{place} broke off its answer after {size} bytes: {error!r}") from error
        except socket.timeout as error:
            raw.close()
            raise SlowError(f"{place} stopped in the middle of its answer: {error}") from error
        except OSError as error:
            raw.close()
            raise UnreachableError(f"{place} stopped in the middle of its answer: {error}") from error
        except (AgentError, GeneratorExit):
            raw.close()
            raise
        # older Pythons leave a response of known length open, and its connection could not be used again
        source.close()
        raw.release_conn()


def pieces_of(response: requests.Response) -> Iterator[bytes]:
    """Return the body of an answer that was asked for as a stream, to be read once."""
    pieces: Iterator[bytes] = getattr(response, "pieces", None) or iter([response.content])
    return pieces


def _explained(error: BaseException, place: str) -> AgentError:
    """Return what a failure of TLS means: theirs is not to be trusted, ours is not taken, or nothing of the sort."""
    inner = _innermost(error)
    if isinstance(inner, ValueError):  # as are SSLCertVerificationError and urllib3's own for another name
        return RefusedError(
            f"{place}: no trust in its certificate: {root_of(error)}",
            hint="name the authority that signed it ('ca_path', with clouds 'cacert'), or correct the host name",
        )
    if isinstance(inner, ssl.SSLEOFError):
        return HungUpError(f"{place} ended the connection without an answer: {root_of(error)}")
    reason = (inner.reason or "").upper() if isinstance(inner, ssl.SSLError) else ""
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason or "ACCESS_DENIED" in reason):
        return RefusedError(
            f"{place} refused our certificate: {reason.split('ALERT_')[-1].lower().replace('_', ' ')}",
            hint="its CA must be known there, and it must not be expired or revoked",
        )
    return UnreachableError(f"{place} cannot be spoken to by TLS: {root_of(error)}")


def _innermost(error: BaseException) -> BaseException:
    while True:
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException):
            return error
        error = inner


def root_of(error: BaseException) -> str:
    """Return the innermost reason, without the layers of libraries around it and the addresses of their objects."""
    root = _innermost(error)
    text = re.sub(r"<[^>]*object at 0x[0-9a-f]+>:? ?", "", str(root))
    return (text or type(root).__name__)[:300]
