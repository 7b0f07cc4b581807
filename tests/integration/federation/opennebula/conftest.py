"""A simulated oned for the tests of this directory, and a client that shows what really came over the wire."""

from __future__ import annotations

import html
import http.client
import re
import xml.etree.ElementTree as ElementTree
import xmlrpc.client
from pathlib import Path
from typing import Any, Callable, Iterator, List, NamedTuple, Tuple

import pytest

from tests.federation.opennebula import OnedSimulator

NOVEMBER = 1793491200  # 2026-11-01 00:00:00 UTC
HOUR = 3600


class Answer(NamedTuple):
    """What came: the HTTP status, the headers and the raw body."""

    status: int
    headers: List[Tuple[str, str]]
    body: bytes

    @property
    def items(self) -> List[Any]:
        """The array of the answer. A Fault raises xmlrpc.client.Fault."""
        values, _ = xmlrpc.client.loads(self.body, use_builtin_types=True)
        return list(values[0])

    @property
    def text(self) -> str:
        """The document inside of the answer, as it came but for the escaping."""
        found = re.search(r"<value><string>(.*)</string></value>", self.body.decode(), re.DOTALL)
        assert found is not None, self.body[:500]
        return html.unescape(found.group(1))

    @property
    def xml(self) -> ElementTree.Element:
        """The document inside of the answer."""
        return ElementTree.fromstring(self.items[1])


class Client:
    """Calls methods, a connection each, as oneadmin unless told otherwise."""

    def __init__(self, oned: OnedSimulator) -> None:
        self.oned = oned

    def call(self, name: str, *arguments: Any, session: str = "") -> Answer:
        """Call a method of ``one``."""
        body = xmlrpc.client.dumps((session or self.oned.session, *arguments), f"one.{name}")
        return self.post(body.encode())

    def post(self, body: bytes, path: str = "/RPC2", method: str = "POST") -> Answer:
        """Send a body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.oned.port, timeout=30)
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = Answer(response.status, response.getheaders(), response.read())
        connection.close()
        return answer

    def ids(self, name: str, *arguments: Any, session: str = "") -> List[int]:
        """Return the ids of a pool, in its order."""
        pool = self.call(name, *arguments, session=session).xml
        return [int(child.findtext("ID") or -1) for child in pool if child.find("NAME") is not None]

    def records(self, vm: int) -> List[str]:
        """Return the records of a machine, one line each, instants as seconds after November began, 0 = not set."""
        lines = []
        for row in self.call("vm.info", vm).xml.iterfind("HISTORY_RECORDS/HISTORY"):
            shown = []
            for name in "HID STIME ETIME PSTIME PETIME RSTIME RETIME ESTIME EETIME ACTION".split():
                value = int(row.findtext(name) or 0)
                shown.append(f"+{value - NOVEMBER}" if value >= NOVEMBER else str(value))
            lines.append(" ".join(shown))
        return lines


Start = Callable[..., Client]


@pytest.fixture()
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts an oned of a profile, whose clock stands at 1 November 2026."""
    running: List[OnedSimulator] = []

    def begin(profile: str, furnished: bool = True) -> Client:
        oned = OnedSimulator(tmp_path / f"oned-{len(running)}", profile).start()
        running.append(oned)
        oned.set_clock(NOVEMBER)
        if furnished:
            oned.create_group("vo.example.org")
            oned.create_user("alice", groups=["vo.example.org"])
        return Client(oned)

    yield begin
    for oned in running:
        oned.stop()
