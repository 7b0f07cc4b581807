"""Calls to the services of a peer: answers that were accepted, or errors that say what was wrong."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, Mapping, NoReturn, Optional, Protocol, Tuple, Union
from urllib.parse import urljoin, urlsplit

import requests

from fedcloud_agent import __version__
from fedcloud_agent.errors import RefusedError, RemoteDataError, UnreachableError
from fedcloud_agent.http.answer import Answer, place_of
from fedcloud_agent.http.exchange import SAFE, BoundedAdapter, Bounds, pieces_of, root_of

_REDIRECTS = 5
_OK = frozenset({200})


class Credential(Protocol):
    """What proves to a peer who we are, and can be had anew."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that carry the proof, logging in if need be."""

    def renew(self, used: Mapping[str, str]) -> None:
        """Forget the proof that ``used`` carried, since the peer took it no longer."""


@dataclass(frozen=True)
class Stream:
    """An answer whose body is read as it comes. ``head`` is the answer without it.

    Reading ``pieces`` raises when the answer breaks off, or exceeds a bound.
    """

    head: Answer
    pieces: Iterator[bytes]


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
            answer = self._send(method, _nextplace_of(method, answer), None, headers, body, credential)
        if answer.status not in accept:
            _raise_for(answer)
        return answer

    def stream(self, method: str, url: str, *, headers: Mapping[str, str], body: Optional[bytes] = None) -> Stream:
        """Return an answer of status 200 whose body is still to be read, else raise what the status means."""
        response = self._call(method, url, None, headers, body, stream=True)
        head = Answer(response.url, response.status_code, response.headers, b"")
        if head.status != 200:
            _raise_for(Answer(head.url, head.status, head.headers, response.content))
        return Stream(head, pieces_of(response))

    def _call(
        self,
        method: str,
        url: str,
        params: Optional[Mapping[str, Union[str, int]]],
        headers: Mapping[str, str],
        body: Optional[bytes],
        *,
        stream: bool = False,
    ) -> requests.Response:
        try:
            return self.session.request(
                method, url, params=params, headers=dict(headers), data=body, allow_redirects=False, stream=stream
            )
        except requests.exceptions.RequestException as error:
            raise RemoteDataError(f"{place_of(url)} cannot be called: {root_of(error)}") from error

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
            response = self._call(method, url, params, sent, body)
            if response.status_code != 401 or credential is None or fresh:
                break
            credential.renew(proof)
        return Answer(response.url, response.status_code, response.headers, response.content)


def _nextplace_of(method: str, answer: Answer) -> str:
    """Return where a redirect leads. Raises RemoteDataError when it leaves the host or the call may not be repeated."""
    target = urljoin(answer.url, answer.headers.get("Location", ""))
    here, there = urlsplit(answer.url), urlsplit(target)
    if method not in SAFE or (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise RemoteDataError(
            f"{place_of(answer.url)} redirects to {place_of(target)}, where we do not follow",
            hint="if that is the right address, configure it",
        )
    return target


def _raise_for(answer: Answer) -> NoReturn:
    said = answer.explanation()
    text = f"{place_of(answer.url)} answered {answer.status}" + (f": {said}" if said else "")
    if answer.status == 401:
        raise RefusedError(
            text, hint="check the account and its secret; if they are right, the service cannot check them now"
        )
    if answer.status in (403, 407):
        raise RefusedError(text, hint="check the rights of the account")
    if answer.status >= 500 or answer.status in (408, 429):
        raise UnreachableError(text)
    raise RemoteDataError(text)
