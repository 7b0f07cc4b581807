"""What the OpenNebula tools read: the pool, then each machine by itself, and tables of users and images."""

from __future__ import annotations

import xmlrpc.client
from typing import Dict, Iterator, List, Optional
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tests.federation.opennebula import OnedSimulator

DONE = 6


class Pool:
    """The cloud as oneadmin sees it."""

    def __init__(self, oned: OnedSimulator) -> None:
        self._session = oned.session
        self._one = xmlrpc.client.ServerProxy(oned.url).one

    def machines(self) -> Iterator[Element]:
        """Yield every machine that the cloud remembers, by id, each with its history."""
        pool = self._ask("vmpool.info", -2, -1, -1, -2)
        for key in sorted(int(text(vm, "ID") or 0) for vm in pool.iter("VM")):
            yield self._ask("vm.info", key)

    def table(self, kind: str, path: str) -> Dict[str, str]:
        """Return what stands at a path in each object of ``userpool`` or ``imagepool``, by id."""
        pool = self._ask(f"{kind}pool.info", *(() if kind == "user" else (-2, -1, -1)))
        found = {text(one, "ID"): text(one, path) for one in pool.findall(kind.upper())}
        return {key: value for key, value in found.items() if key and value}

    def _ask(self, method: str, *arguments: int) -> Element:
        group, _, name = method.partition(".")
        answer = getattr(getattr(self._one, group), name)(self._session, *arguments)
        assert isinstance(answer, list) and answer[0] is True, answer
        return ElementTree.fromstring(str(answer[1]))


def text(element: Element, path: str) -> Optional[str]:
    """Return the text at a path, None if there is none or it is empty."""
    found = element.findtext(path)
    return found or None


def number(element: Element, path: str) -> int:
    """Return the number at a path, 0 where there is none."""
    return int(text(element, path) or 0)


def histories(vm: Element) -> List[Element]:
    """Return the history records of a machine."""
    return vm.findall("HISTORY_RECORDS/HISTORY")


def ran(vm: Element, now: int) -> int:
    """Return the sum over the records of how long each ran; one without an end runs until now, whatever the state."""
    total = 0
    for record in histories(vm):
        begin, end = number(record, "RSTIME"), number(record, "RETIME")
        if begin:
            total += (end or now) - begin
    return total
