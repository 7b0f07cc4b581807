"""Pull messages from the messaging service: the centre's receiver as AMS sees it, one message at a time."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

from tests.federation.central.intake import take
from tests.federation.central.receiver import Receiver, ReceiverDiedError
from tests.federation.central.repository import Repository

_PAUSE = 0.1
_NO_EMPAID = "N/A"


class Puller:
    """A subscriber that acknowledges what it wrote down, whatever became of it, and comes back when the service does.

    ``service`` is host and port, ``authn_port`` that of the service that gives tokens; ``ca`` a file of authorities.
    """

    def __init__(
        self,
        repository: Repository,
        receiver: Receiver,
        service: Tuple[str, int],
        authn_port: int,
        subscription: str,
        ca: Path,
    ) -> None:
        assert receiver.certificate is not None and receiver.key is not None
        self.repository, self.receiver = repository, receiver
        self.host, self.port = service
        self.authn_port = authn_port
        project, _, name = subscription.partition("/")
        self._path = f"/v1/projects/{project}/subscriptions/{name}"
        self._plain = ssl.create_default_context(cafile=str(ca))
        self._known = ssl.create_default_context(cafile=str(ca))
        self._known.load_cert_chain(receiver.certificate, receiver.key)
        self._token = ""

    def serve(self, stopping: threading.Event, say: Callable[[str, bool], None]) -> None:
        """Pull until ``stopping`` is set; ``say`` is told what happens, and whether it is being pulled."""
        while not stopping.is_set():
            try:
                self._token = self._fetch_token()
                connection = http.client.HTTPSConnection(self.host, self.port, timeout=60, context=self._plain)
                try:
                    self._pull(connection, stopping, say)
                finally:
                    connection.close()
            except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
                say(f"no messages from {self.host}:{self.port}: {error!r}", False)
                stopping.wait(0.3)

    def _pull(
        self, connection: http.client.HTTPSConnection, stopping: threading.Event, say: Callable[[str, bool], None]
    ) -> None:
        told = False
        while not stopping.is_set():
            answer = self._call(connection, ":pull", {"maxMessages": "1", "returnImmediately": "true"})
            if not told:
                say(f"pulling {self._path} from {self.host}:{self.port}", True)
                told = True
            received = answer["receivedMessages"]
            for one in received:
                attributes, data = one["message"]["attributes"], base64.b64decode(one["message"]["data"])
                try:
                    take(self.repository, self.receiver, attributes.get("empaid", _NO_EMPAID), data, time.time())
                except ReceiverDiedError as error:
                    say(f"a message was lost: {error}", True)
                self._call(connection, ":acknowledge", {"ackIds": [one["ackId"]]})
            if not received:
                stopping.wait(_PAUSE)

    def _fetch_token(self) -> str:
        connection = http.client.HTTPSConnection(self.host, self.authn_port, timeout=10, context=self._known)
        try:
            connection.request("GET", f"/v1/service-types/ams/hosts/{self.host}:authx509")
            return str(_read(connection)["token"])
        finally:
            connection.close()

    def _call(self, connection: http.client.HTTPSConnection, verb: str, document: Dict[str, Any]) -> Dict[str, Any]:
        connection.request("POST", self._path + verb, json.dumps(document), {"x-api-key": self._token})
        return _read(connection)


def _read(connection: http.client.HTTPSConnection) -> Dict[str, Any]:
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise ConnectionError(f"{response.status}: {body[:200]!r}")
    document: Dict[str, Any] = json.loads(body)
    return document
