"""The service ``voms``: an XML document of VOs with their users, one for each certificate, and their roles.

It says neither who a person is nor a UID, so accounts cannot be made of it; FQANs can.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple
from xml.parsers import expat

from fedcloud_agent.users.formats.text import anonymous, word
from fedcloud_agent.users.population import Person, Population, membership, merged
from fedcloud_agent.users.refusal import PayloadError

_PATH = ("vos", "vo", "users", "user")
_DEEPEST = 16


def read(data: bytes, facility: str, as_of: int) -> Population:
    """Return whom the document lists. Raises PayloadError for another form, or where it declares a type or entity."""
    reader = _Reader(facility)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.texts.append
    parser.StartDoctypeDeclHandler = _no_types
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise PayloadError(f"line {error.lineno} is not XML: {expat.ErrorString(error.code)}") from None
    return Population(facility, as_of, merged(reader.persons))


def _no_types(name: str, system: Optional[str], public: Optional[str], internal: int) -> None:
    raise PayloadError("the XML declares a document type, which Perun never does")


class _Reader:
    """Keeps what is open: the path, the VO, the user and the group; texts are taken at the end of an element."""

    def __init__(self, facility: str) -> None:
        self.facility = facility
        self.persons: List[Person] = []
        self.texts: List[str] = []
        self._path: Tuple[str, ...] = ()
        self._vo: Optional[str] = None
        self._users: List[Tuple[Dict[str, str], List[Tuple[str, List[str]]]]] = []

    def begin(self, tag: str, _attributes: Dict[str, str]) -> None:
        """Enter an element."""
        if not self._path and tag != _PATH[0]:
            raise PayloadError("the XML is no list of VOs")
        self._path += (tag,)
        if len(self._path) > _DEEPEST:
            raise PayloadError("the XML is nested too deep")
        self.texts.clear()
        if self._path == _PATH[:2]:
            self._vo, self._users = None, []
        elif self._path == _PATH:
            self._users.append(({}, [("", [])]))
        elif self._path == (*_PATH, "groups", "group"):
            self._users[-1][1].append(("", []))

    def end(self, tag: str) -> None:
        """Leave an element, and take what it said."""
        text = word("".join(self.texts))
        self.texts.clear()
        path, self._path = self._path, self._path[:-1]
        if path == (*_PATH[:2], "name"):
            self._vo = text
        elif path == _PATH[:2]:
            self._leave_vo()
        elif path[:-1] == _PATH and tag in ("CA", "DN", "email") and text:
            self._users[-1][0][tag] = text
        elif path == (*_PATH, "groups", "group", "name") and text:
            groups = self._users[-1][1]
            groups[-1] = (text, groups[-1][1])
        elif tag == "role" and text and path[: len(_PATH)] == _PATH:
            within = self._users[-1][1]
            (within[0] if path[len(_PATH)] == "roles" else within[-1])[1].append(text)

    def _leave_vo(self) -> None:
        if self._vo is None:
            raise PayloadError("a VO of the XML has no name")
        for told, groups in self._users:
            if "DN" not in told:
                raise PayloadError("a user of the XML has no DN")
            self.persons.append(
                Person(
                    id=anonymous(self.facility, " ".join(told["DN"].split()).lower()),
                    facility=self.facility,
                    uid=None,
                    memberships=(membership(self._vo),),
                    subjects=(told["DN"],),
                    mail=told.get("email"),
                    fqans=tuple(_fqans(self._vo, groups)),
                )
            )


def _fqans(vo: str, groups: List[Tuple[str, List[str]]]) -> List[str]:
    """Return the FQANs of a user; a group is written with its VO before it, or without."""
    found: List[str] = []
    for name, roles in groups:
        within = [part for part in name.split("/") if part]
        path = "/" + "/".join(within if within[:1] == [vo] else [vo, *within])
        found += [path, *(f"{path}/Role={role}" for role in roles)]
    return list(dict.fromkeys(found))
