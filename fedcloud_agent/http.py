"""The one door to HTTP: what is bounded, retried and refused here holds for every call that leaves this machine.

Two halves. :class:`BoundedAdapter` makes one exchange safe whoever asks for it (libraries that log in for us get it
through :attr:`Client.session`): no answer without limits of time and size, patience with a peer that is out of service.
:class:`Client` adds what our own calls want: redirects that stay on the host, one new login after a 401, status codes
and bodies turned into data or an :class:`~fedcloud_agent.errors.AgentError`.

Import this module where a call is made: it loads requests.
"""

from __future__ import annotations

import email.utils
import html
import http.client
import io
import json
import logging
import re
import ssl
import threading
import time
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Collection, Dict, Mapping, NoReturn, Optional, Protocol, Tuple, Union
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from fedcloud_agent import __version__
from fedcloud_agent.errors import AgentError, ConfigurationError, RefusedError, RemoteDataError, UnreachableError

log = logging.getLogger(__name__)

BUSY = frozenset({429, 503})
"""The peer did not do what was asked, and says so: every method may be repeated."""
FAILED = frozenset({500, 502, 504})
"""Nobody knows what was done: only a method that changes nothing may be repeated."""
_SAFE = frozenset({"GET", "HEAD"})
_REDIRECTS = 5
_PIECE = 65536
_OK = frozenset({200})


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


class Credential(Protocol):
    """What proves to a peer who we are, and can be had anew."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that carry the proof, logging in if need be."""

    def renew(self, used: Mapping[str, str]) -> None:
        """Forget the proof that ``used`` carried, since the peer took it no longer."""


@dataclass(frozen=True)
class Answer:
    """What a peer answered. ``headers`` compare without case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body. Raises RemoteDataError when it is not JSON, is cut short or is empty."""
        kind = self.headers.get("Content-Type", "")
        if not self.body.strip():
            raise RemoteDataError(f"{_place(self.url)} answered {self.status} with an empty body where JSON was due")
        if "json" not in kind.lower():
            raise RemoteDataError(
                f"{_place(self.url)} answered {self.status} with {kind.partition(';')[0] or 'no content type'} "
                "where JSON was due",
                hint="is there a login page or a proxy between us and the service?",
            )
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise RemoteDataError(f"{_place(self.url)} answered JSON that cannot be read: {error}") from error

    def date(self) -> int:
        """Return the peer's clock as its Date header has it. Raises RemoteDataError when there is none to be read."""
        text = self.headers.get("Date", "")
        try:
            return int(email.utils.parsedate_to_datetime(text).timestamp())
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise RemoteDataError(
                f"{_place(self.url)} answered without a usable Date header ({text[:60]!r}): its clock cannot be known",
                hint="a proxy may have removed it; the service's own Date header must come through",
            ) from error

    def explanation(self) -> str:
        """Return the peer's own words on what is wrong, in one line, or an empty text."""
        text = self.body[:4096].decode("utf-8", "replace")
        try:
            said: object = json.loads(self.body) if len(self.body) <= _PIECE else None
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, dict):
            inner = next((v for v in said.values() if isinstance(v, dict) and "message" in v), said)
            text = str(inner.get("message") or inner.get("title") or "")
        text = html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE))
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


def _place(url: Optional[str]) -> str:
    """Return ``url`` without its query, which is long and may hold what a log must not."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _pause_asked(headers: Mapping[str, str]) -> Optional[float]:
    """Return the seconds that a Retry-After header asks for, or None when it says nothing that can be read."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class _CutOffError(RemoteDataError):
    """An answer ended before its announced end."""


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
        """Exchange ``request`` for an answer whose body is wholly read; time limits are our own."""
        end = time.monotonic() + self.bounds.deadline
        place = _place(request.url)
        safe = request.method in _SAFE or place.endswith(self.harmless)
        chosen = proxies or self._proxies(request.url or "")
        for attempt in range(self.bounds.retries + 1):
            pause: Optional[float] = None
            began = time.monotonic()
            try:
                answer = self._exchange(request, end, verify, cert, chosen)
            except _CutOffError as error:
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
                failure = UnreachableError(f"{place} answered {answer.status_code}" + (f": {said}" if said else ""))
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
        self, request: requests.PreparedRequest, end: float, verify: Any, cert: Any, proxies: Mapping[str, str]
    ) -> requests.Response:
        place = _place(request.url)
        left = min(self.bounds.timeout, max(0.001, end - time.monotonic()))
        try:
            response = super().send(
                request, stream=True, timeout=(left, left), verify=verify, cert=cert, proxies=proxies
            )
        except requests.exceptions.SSLError as error:
            if not isinstance(_innermost(error), ssl.SSLCertVerificationError):
                raise UnreachableError(f"{place} cannot be spoken to by TLS: {_root(error)}") from error
            raise RefusedError(
                f"{place}: no trust in its certificate: {_root(error)}",
                hint="name the authority that signed it with 'cacert', or correct the host name",
            ) from error
        except requests.exceptions.Timeout as error:
            raise UnreachableError(f"{place} did not answer within {left:.0f} s") from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise UnreachableError(f"{place} cannot be reached: {_root(error)}") from error
        except OSError as error:
            # requests complains so about a bundle of certificates, or a key, that is not there
            raise ConfigurationError(f"{place} cannot be called: {error}") from error
        body = self._body(response, place, end)
        response.raw = io.BytesIO(body)
        return response

    def _body(self, response: requests.Response, place: str, end: float) -> bytes:
        """Read the whole body piece by piece as they arrive, so that a drip cannot outlast the deadline."""
        raw = response.raw
        source: http.client.HTTPResponse = raw._original_response
        pieces = []
        size = 0
        try:
            while True:
                piece = source.read1(_PIECE)
                if not piece:
                    break
                pieces.append(piece)
                size += len(piece)
                if size > self.bounds.size:
                    raise RemoteDataError(f"{place} answered more than {self.bounds.size} bytes; we stopped reading")
                if time.monotonic() > end:
                    raise UnreachableError(f"{place} took more than {self.bounds.deadline:.0f} s to answer")
            if source.length:
                raise _CutOffError(f"{place} broke off its answer {source.length} bytes before the end")
        except (http.client.HTTPException, ConnectionError) as error:
            raw.close()
            raise _CutOffError(f"{place} broke off its answer after {size} bytes: {error!r}") from error
        except OSError as error:
            raw.close()
            raise UnreachableError(f"{place} stopped in the middle of its answer: {error}") from error
        except AgentError:
            raw.close()
            raise
        # older Pythons leave a response of known length open, and its connection could not be used again
        source.close()
        raw.release_conn()
        return b"".join(pieces)


def _innermost(error: BaseException) -> BaseException:
    while True:
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException):
            return error
        error = inner


def _root(error: BaseException) -> str:
    """Return the innermost reason, without the layers of libraries around it and the addresses of their objects."""
    root = _innermost(error)
    text = re.sub(r"<[^>]*object at 0x[0-9a-f]+>:? ?", "", str(root))
    return (text or type(root).__name__)[:300]


class Client:
    """Calls to the services of one peer. Close it after use; threads may share it.

    ``cacert`` is a file or hashed directory of authorities instead of the system's own; ``certificate`` the files of a
    client certificate and its key; ``harmless`` the ends of paths where every method may be repeated (logins).
    """

    def __init__(
        self,
        bounds: Optional[Bounds] = None,
        *,
        cacert: Optional[Path] = None,
        certificate: Optional[Tuple[Path, Path]] = None,
        harmless: Tuple[str, ...] = (),
    ) -> None:
        self._adapter = BoundedAdapter(bounds or Bounds(), harmless)
        self.session = requests.Session()
        # of the environment we take the proxies (in the adapter), not .netrc and not REQUESTS_CA_BUNDLE
        self.session.trust_env = False
        self.session.verify = str(cacert) if cacert else True
        self.session.cert = (str(certificate[0]), str(certificate[1])) if certificate else None
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.headers.update(
            {
                "User-Agent": f"fedcloud-agent/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            }
        )
        self.session.mount("https://", self._adapter)
        self.session.mount("http://", self._adapter)

    def close(self) -> None:
        """Give back the connections; a pause before a repetition ends at once."""
        self._adapter.stopped.set()
        self.session.close()

    def get(self, url: str, **options: Any) -> Answer:
        """Call :meth:`request` with GET."""
        return self.request("GET", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Optional[Mapping[str, Union[str, int]]] = None,
        headers: Optional[Mapping[str, str]] = None,
        body: Optional[bytes] = None,
        credential: Optional[Credential] = None,
        accept: Collection[int] = _OK,
    ) -> Answer:
        """Return the answer if its status is one of ``accept``, else raise what the status means.

        A 401 is met with one new login, then raises RefusedError, as 403 does. A redirect is followed only by a call
        that changes nothing, and only to the same scheme, host and port.
        """
        answer = self._send(method, url, params, headers, body, credential)
        for _ in range(_REDIRECTS):
            if answer.status not in (301, 302, 303, 307, 308) or answer.status in accept:
                break
            answer = self._send(method, _next_place(method, answer), None, headers, body, credential)
        if answer.status not in accept:
            _raise_for(answer)
        return answer

    def _send(
        self,
        method: str,
        url: str,
        params: Optional[Mapping[str, Union[str, int]]],
        headers: Optional[Mapping[str, str]],
        body: Optional[bytes],
        credential: Optional[Credential],
    ) -> Answer:
        for fresh in (False, True):
            proof = credential.headers() if credential else {}
            sent: Dict[str, str] = {**(headers or {}), **proof}
            try:
                response = self.session.request(
                    method, url, params=params, headers=sent, data=body, allow_redirects=False
                )
            except requests.exceptions.RequestException as error:
                raise RemoteDataError(f"{_place(url)} cannot be called: {_root(error)}") from error
            if response.status_code != 401 or credential is None or fresh:
                break
            credential.renew(proof)
        return Answer(response.url, response.status_code, response.headers, response.content)


def _next_place(method: str, answer: Answer) -> str:
    """Return where a redirect leads. Raises RemoteDataError when it leaves the host or the call may not be repeated."""
    target = urljoin(answer.url, answer.headers.get("Location", ""))
    here, there = urlsplit(answer.url), urlsplit(target)
    if method not in _SAFE or (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise RemoteDataError(
            f"{_place(answer.url)} redirects to {_place(target)}, where we do not follow",
            hint="if that is the right address, configure it",
        )
    return target


def _raise_for(answer: Answer) -> NoReturn:
    said = answer.explanation()
    text = f"{_place(answer.url)} answered {answer.status}" + (f": {said}" if said else "")
    if answer.status in (401, 403, 407):
        raise RefusedError(text, hint="check the account, its rights and its secret")
    if answer.status >= 500 or answer.status in (408, 429):
        raise UnreachableError(text)
    raise RemoteDataError(text)
