"""A topic of the ARGO Messaging Service: one message published by one request, and what each answer means.

The form is that of the service's own library (argo-ams-library): the token in ``x-api-key``, our identity in the
attribute ``empaid``, which is where the repository's receiver looks for it.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import Callable, Optional, Union

from fedcloud_agent.clock import utc
from fedcloud_agent.errors import AgentError, RefusedError, RemoteDataError, TryAgainError
from fedcloud_agent.http import Answer, Bounds, Client
from fedcloud_agent.outbox.settings import AmsService
from fedcloud_agent.outbox.token import CertificateToken, FileToken
from fedcloud_agent.outbox.transport import Outcome

log = logging.getLogger(__name__)

_LARGEST_ANSWER = 1 << 20
_TOO_LARGE = 413
_UNFIT = (400, 422)
_SAID_NO = (401, 403, 404)
_NOTHING = b'{"messages": []}'


def request_of(id: str, wire: bytes) -> bytes:
    """Return the request that publishes one message."""
    data = base64.b64encode(wire).decode("ascii")
    return json.dumps({"messages": [{"attributes": {"empaid": id}, "data": data}]}).encode("ascii")


class Topic:
    """One topic, over a connection that is kept. Close it after use.

    What the status of an answer says of us all is raised: RefusedError (401, after one new token; 403; 404),
    UnreachableError for what time may heal (408, 429, 5xx, no connection), RemoteDataError for what makes no sense.
    """

    def __init__(self, settings: AmsService, dn: str, now: Callable[[], int]) -> None:
        self.peer = f"{settings.host}:{settings.port}"
        self._settings = settings
        self._now = now
        self._apart: Optional[TryAgainError] = None
        where = settings.host if settings.port == 443 else self.peer
        self._url = f"https://{where}/v1/projects/{settings.project}/topics/{settings.topic}:publish"
        self._client = Client(
            Bounds(timeout=settings.timeout, deadline=settings.timeout, size=_LARGEST_ANSWER, retries=1),
            cacert=settings.ca_path,
        )
        self._token: Union[FileToken, CertificateToken] = (
            FileToken(settings.token_file) if settings.token_file else CertificateToken(settings, dn)
        )

    def close(self) -> None:
        """Give back the connections."""
        self._token.close()
        self._client.close()

    def knock(self) -> None:
        """Publish no message at all, which shows whether we may, and what the service's clock says."""
        answer = self._call(_NOTHING)
        if answer.status == _TOO_LARGE:
            raise RemoteDataError(f"{self.peer} finds a request without a message too large")

    def publish(self, id: str, request: bytes) -> Outcome:
        """Publish one message and return what became of it. Raises UnreachableError when it may be tried again."""
        answer = self._call(request)
        if answer.status == 200:
            log.debug("%s took message %s under the number %s", self.peer, id, self._number(answer))
            return Outcome(id, True, self.peer, "")
        said = answer.explanation() or f"status {answer.status}"
        if answer.status == _TOO_LARGE:
            return Outcome(id, False, self.peer, f"{said} ({len(request)} bytes)", too_large=True)
        return Outcome(id, False, self.peer, said)

    def check_clock(self) -> None:
        """Raise TryAgainError if the last answer was dated further from our clock than is tolerated."""
        if self._apart is not None:
            raise self._apart

    def _call(self, body: bytes) -> Answer:
        before = self._now()
        answer = self._client.request(
            "POST",
            self._url,
            headers={"Content-Type": "application/json"},
            body=body,
            credential=self._token,
            accept=(200, _TOO_LARGE, *_UNFIT, *_SAID_NO),
        )
        self._compare_clocks(answer, before, self._now())
        if answer.status in _SAID_NO:
            raise self._refusal(answer)
        return answer

    def _compare_clocks(self, answer: Answer, before: int, after: int) -> None:
        try:
            theirs = answer.date()
        except RemoteDataError:
            return  # a proxy may have taken it away; the clouds' clocks were compared when the records were made
        apart = max(before - theirs, theirs - after)
        self._apart = None
        if apart > self._settings.clock_tolerance:
            self._apart = TryAgainError(
                f"our clock says {utc(after)}, that of {self.peer} {utc(theirs)}: they are {apart} s apart, so nothing "
                "is sent",
                hint=f"set this machine's clock (chronyc tracking); up to {self._settings.clock_tolerance} s are "
                "tolerated",
            )

    def _refusal(self, answer: Answer) -> AgentError:
        said = answer.explanation()
        where = f"project {self._settings.project}, topic {self._settings.topic}"
        text = f"{self.peer} does not let us publish ({where}): {answer.status}{said and ' '}{said}"
        if answer.status == 404:
            return RefusedError(text, hint="check the names of project and topic")
        if self._settings.token_file is not None:
            return RefusedError(
                text, hint=f"the token in {self._settings.token_file.source} may be outdated, or of another project"
            )
        return RefusedError(
            text,
            hint="ask the operators of the messaging service whether the DN of the host certificate may publish there",
        )

    def _number(self, answer: Answer) -> str:
        document = answer.json()
        numbers = document.get("messageIds") if isinstance(document, dict) else None
        if not isinstance(numbers, list) or len(numbers) != 1:
            raise RemoteDataError(f"{self.peer} answered 200 without the number of the message, so it may not have it")
        return str(numbers[0])
