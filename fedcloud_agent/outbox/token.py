"""What opens the messaging service to us: a token, had for the host certificate or read from a file.

A token is a secret: it travels in a header of its own, and no message of ours repeats it, not even a malformed one.
"""

from __future__ import annotations

import re
from typing import Mapping, Optional

from fedcloud_agent.errors import ConfigurationError, RefusedError, RemoteDataError
from fedcloud_agent.http import Bounds, Client
from fedcloud_agent.outbox.settings import AmsService
from fedcloud_agent.settings import Secret

_FORM = re.compile(r"[\x21-\x7e]{1,4096}")
_REFUSALS = (400, 401, 403, 404)
_LARGEST_ANSWER = 65536


class FileToken:
    """A token that the site keeps in a file; it is read for each request, so that a new one counts at once."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def headers(self) -> Mapping[str, str]:
        """Return the header of a request. Raises ConfigurationError or RefusedError for the file."""
        token = self._secret.read()
        if not _FORM.fullmatch(token):
            raise ConfigurationError(
                f"the secret {self._secret.path} holds no token: one line of ASCII without blanks is expected"
            )
        return {"x-api-key": token}

    def renew(self, used: Mapping[str, str]) -> None:
        """Do nothing: the file is read anew in any case."""

    def close(self) -> None:
        """Do nothing."""


class CertificateToken:
    """A token that the authentication service gives for our certificate (``:authx509``); kept until it is refused."""

    def __init__(self, settings: AmsService, dn: str) -> None:
        host, port = settings.host, settings.authn_port
        self._peer = f"{host}:{port}"
        self._url = f"https://{self._peer}/v1/service-types/ams/hosts/{host}:authx509"
        self._dn = dn
        self._service = settings.service
        self._client = Client(
            Bounds(timeout=settings.timeout, deadline=settings.timeout, size=_LARGEST_ANSWER, retries=1),
            cacert=settings.ca_path,
            certificate=(settings.certificate, settings.key),
        )
        self._token: Optional[str] = None

    def headers(self) -> Mapping[str, str]:
        """Return the header of a request. Raises RefusedError, UnreachableError or RemoteDataError."""
        if self._token is None:
            self._token = self._fetch()
        return {"x-api-key": self._token}

    def renew(self, used: Mapping[str, str]) -> None:
        """Forget the token that was refused."""
        if used.get("x-api-key") == self._token:
            self._token = None

    def close(self) -> None:
        """Give back the connection."""
        self._client.close()

    def _fetch(self) -> str:
        answer = self._client.get(self._url, accept=(200, *_REFUSALS))
        if answer.status in _REFUSALS:
            said = answer.explanation()
            raise RefusedError(
                f"{self._peer} gives no token for {self._dn} ({answer.status}{said and ': '}{said})",
                hint="GOCDB must have, in production, this very DN as Host DN of a service "
                f"{self._service}; what was entered there is known to the messaging service some hours later",
            )
        document = answer.json()
        token = document.get("token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not _FORM.fullmatch(token):
            raise RemoteDataError(f"{self._peer} answered without a token that could be used")
        return token
