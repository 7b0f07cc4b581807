"""What the messaging service and its authentication service answer to a request."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from tests.federation.ams.shelf import Shelf

PUBLISHER = "publisher"
CONSUMER = "consumer"

_AUTHN = re.compile(r"/v1/service-types/ams/hosts/([^/:]+):authx509")
_TOPIC = re.compile(r"/v1/projects/([^/]+)/topics/([^/:]+)(:publish)?")
_SUBSCRIPTION = re.compile(r"/v1/projects/([^/]+)/subscriptions/([^/:]+)(:pull|:acknowledge|:offsets)?")


class Reply(NamedTuple):
    """An answer: a document that is sent as JSON."""

    status: int
    document: Mapping[str, Any]


def error(code: int, message: str, status: str) -> Reply:
    """Return an error in the service's form."""
    return Reply(code, {"error": {"code": code, "message": message, "status": status}})


UNAUTHORIZED = error(401, "Unauthorized", "UNAUTHORIZED")
FORBIDDEN = error(403, "Access to this resource is forbidden", "FORBIDDEN")
TOO_LARGE = error(413, "Message size is too large", "INVALID_ARGUMENT")
INVALID = error(400, "Invalid Message Arguments", "INVALID_ARGUMENT")


class Service:
    """Both services. ``users`` is a JSON file: {DN: {"token": T, "role": R}}, read for each request.

    ``limit``: bytes of one message with its number and time, as the store behind the service has it.
    """

    def __init__(self, shelf: Shelf, users: Path, limit: int) -> None:
        self.shelf = shelf
        self.limit = limit
        self._users = users

    def give_token(self, path: str, dn: Optional[str]) -> Reply:
        """Answer at the port of the authentication service; ``dn`` is of the client's verified certificate."""
        if not _AUTHN.fullmatch(path):
            return error(404, "Not Found", "NOT FOUND")
        user = self._known().get(dn or "")
        if user is None:
            return error(404, "Binding was not found", "NOT FOUND")
        return Reply(200, {"token": user["token"]})

    def answer(self, method: str, path: str, token: Optional[str], body: bytes) -> Reply:
        """Answer at the port of the messaging service."""
        role = next((user["role"] for user in self._known().values() if user["token"] == token), None)
        if role is None:
            return UNAUTHORIZED
        topic, subscription = _TOPIC.fullmatch(path), _SUBSCRIPTION.fullmatch(path)
        if topic and topic[3] and method == "POST":
            return self._publish(f"{topic[1]}/{topic[2]}", role, body)
        if subscription and subscription[3]:
            return self._subscriber(method, f"{subscription[1]}/{subscription[2]}", subscription[3], role, body)
        return error(404, "Not Found", "NOT_FOUND")

    def _publish(self, topic: str, role: str, body: bytes) -> Reply:
        if role != PUBLISHER:
            return FORBIDDEN
        if not self.shelf.has_topic(topic):
            return error(404, "Topic doesn't exist", "NOT_FOUND")
        try:
            messages = [(_texts(one["attributes"]), _checked(one["data"])) for one in json.loads(body)["messages"]]
        except (ValueError, LookupError, TypeError, AttributeError):
            return INVALID
        numbers = []
        for attributes, data in messages:
            published = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime())
            stored = {"messageId": "0", "attributes": attributes, "data": data, "publishTime": published}
            if len(json.dumps(stored)) > self.limit:
                return TOO_LARGE
            numbers.append(str(self.shelf.put(topic, attributes, data, published)))
        return Reply(200, {"messageIds": numbers})

    def _subscriber(self, method: str, name: str, verb: str, role: str, body: bytes) -> Reply:
        topic = self.shelf.topic_of(name)
        if role != CONSUMER:
            return FORBIDDEN
        if topic is None:
            return error(404, "Subscription doesn't exist", "NOT_FOUND")
        position = self.shelf.position(name)
        if verb == ":offsets" and method == "GET":
            return Reply(200, {"min": 0, "max": len(self.shelf.messages(topic)), "current": position})
        try:
            asked = json.loads(body)
            if verb == ":pull":
                return self._pull(name, topic, position, int(asked["maxMessages"]))
            project, _, short = name.partition("/")
            for ack in asked["ackIds"]:
                prefix, _, number = ack.rpartition(":")
                if prefix != f"projects/{project}/subscriptions/{short}":
                    raise ValueError(ack)
                self.shelf.acknowledge(name, int(number))
        except (ValueError, LookupError, TypeError, AttributeError):
            return error(400, "Invalid Request Body", "BAD_REQUEST")
        return Reply(200, {})

    def _pull(self, name: str, topic: str, position: int, most: int) -> Reply:
        project, _, short = name.partition("/")
        received = [
            {
                "ackId": f"projects/{project}/subscriptions/{short}:{one.number}",
                "message": {
                    "attributes": one.attributes,
                    "data": one.data,
                    "messageId": str(one.number),
                    "publishTime": one.published,
                },
            }
            for one in self.shelf.messages(topic, position, most)
        ]
        return Reply(200, {"receivedMessages": received})

    def _known(self) -> Dict[str, Dict[str, str]]:
        known: Dict[str, Dict[str, str]] = json.loads(self._users.read_text())
        return known


def empaids(body: bytes) -> Tuple[str, ...]:
    """Return the identities of the messages in a publish request, as far as it can be read."""
    try:
        return tuple(str(one["attributes"]["empaid"]) for one in json.loads(body)["messages"])
    except (ValueError, LookupError, TypeError):
        return ()


def _texts(attributes: Any) -> Dict[str, str]:
    if not all(isinstance(text, str) for pair in attributes.items() for text in pair):
        raise ValueError("an attribute is no text")
    return dict(attributes)


def _checked(data: Any) -> str:
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError("the data is not base64") from error
    return str(data)
