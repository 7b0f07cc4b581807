"""The messaging service as a server of the federation in a box."""

from __future__ import annotations

import base64
import json
import secrets
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from tests.federation.ams.service import CONSUMER, PUBLISHER
from tests.federation.ams.shelf import Kept, Shelf
from tests.federation.authority import Authority, Credential
from tests.federation.controller import PythonServer, free_port

PROJECT = "accounting"
TOPIC = "eu-egi-cloud-accounting"
SUBSCRIPTION = "repository"
LIMIT = 1_000_000


class Seen(NamedTuple):
    """A request that came: ``on`` says what for, ``status`` what a served one was answered, ``act`` the fault."""

    on: str
    size: int
    status: int
    act: str
    empaids: Tuple[str, ...]
    sha256: str


class AmsSimulator(PythonServer):
    """One service with one topic and one subscription; ``publishers`` are the DNs that may publish.

    ``clock`` is a file that says what time the service believes it is.
    """

    name = "ams"

    def __init__(
        self,
        directory: Path,
        authority: Authority,
        publishers: List[str],
        *,
        credential: Optional[Credential] = None,
        limit: int = LIMIT,
        clock: Optional[Path] = None,
    ) -> None:
        super().__init__(directory)
        self.authority = authority
        self.authn_port = free_port()
        self.credential = credential or authority.host("ams.example.org", file=f"ams-{self.port}")
        self.limit = limit
        self.clock = clock
        self._page = 0
        self._users: Dict[str, Dict[str, str]] = {}
        for dn in publishers:
            self.admit(dn)

    def admit(self, dn: str, role: str = PUBLISHER) -> str:
        """Give a DN a new token, which makes its former one worthless, and return it."""
        token = secrets.token_hex(20)
        self._users[dn] = {"token": token, "role": role}
        self._write("users.json", self._users)
        return token

    def admit_consumer(self, dn: str) -> str:
        """Give a DN a token with which messages are pulled."""
        return self.admit(dn, CONSUMER)

    def expel(self, dn: str) -> None:
        """Forget a DN and its token."""
        del self._users[dn]
        self._write("users.json", self._users)

    def fault(self, *faults: Dict[str, Any]) -> None:
        """Let these faults strike from now on, and no others; see :class:`tests.federation.ams.faults.Faults`."""
        self._write("faults.json", [{"id": secrets.token_hex(4), **fault} for fault in faults])

    def seen(self, on: str = "publish") -> List[Seen]:
        """Return the requests that came, in order."""
        path = self.directory / "diary.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        every = [json.loads(line) for line in lines[self._page :]]
        return [Seen(**{**one, "empaids": tuple(one["empaids"])}) for one in every if one["on"] == on]

    def forget_seen(self) -> None:
        """Begin a new page: :meth:`seen` tells only of what comes from now on."""
        path = self.directory / "diary.jsonl"
        self._page = len(path.read_text().splitlines()) if path.exists() else 0

    def held(self) -> List[Kept]:
        """Return every message that was published, in order."""
        return Shelf(self.directory / "messages.sqlite").messages(f"{PROJECT}/{TOPIC}")

    def texts(self) -> List[Tuple[str, bytes]]:
        """Return (empaid, signed text) of every message that was published, in order."""
        return [(one.attributes["empaid"], base64.b64decode(one.data)) for one in self.held()]

    def left(self) -> int:
        """Return how many messages the subscription has not acknowledged yet."""
        shelf = Shelf(self.directory / "messages.sqlite")
        return len(shelf.messages(f"{PROJECT}/{TOPIC}", shelf.position(f"{PROJECT}/{SUBSCRIPTION}")))

    def command(self) -> List[str]:
        """Run this package as a program."""
        return [
            *(sys.executable, "-m", "tests.federation.ams", "--directory", str(self.directory)),
            *("--port", str(self.port), "--authn-port", str(self.authn_port), "--limit", str(self.limit)),
            *("--certificate", str(self.credential.certificate), "--key", str(self.credential.key)),
            *("--authority", str(self.authority.certificate)),
            *("--topic", f"{PROJECT}/{TOPIC}", "--subscription", f"{PROJECT}/{SUBSCRIPTION}"),
            *(("--clock", str(self.clock)) if self.clock else ()),
        ]

    def _write(self, name: str, document: Any) -> None:
        temporary = self.directory / f"{name}.new"
        temporary.write_text(json.dumps(document))
        temporary.replace(self.directory / name)
