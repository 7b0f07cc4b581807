"""Lists as oned answered them, and as they are made up of a few words."""

from __future__ import annotations

from typing import List
from xml.etree.ElementTree import Element, fromstring

from fedcloud_plugins.opennebula.streaming import elements, value_of
from tests.unit.opennebula.elements import DATA

RIGHTS = {"g": "<GROUP_U>1</GROUP_U>", "o": "<OTHER_U>1</OTHER_U>"}


def recorded(name: str, root: str) -> List[Element]:
    """Return the elements of a list that oned 6.10.5 answered."""
    body = (DATA / "6.10" / f"{name}.response.xml").read_bytes()
    return list(elements(value_of([body], "oned"), root, "oned"))


def template(number: int, inside: str = "", rights: str = "o", gid: int = 0, name: str = "t", uid: int = 0) -> Element:
    return _owned("VMTEMPLATE", number, inside, rights, gid, name, uid, "")


def image(
    number: int,
    inside: str = "",
    rights: str = "o",
    gid: int = 0,
    name: str = "i",
    uid: int = 0,
    state: object = 1,
    size: object = 10241,
) -> Element:
    more = f"<UNAME>user{uid}</UNAME><STATE>{state}</STATE><SIZE>{size}</SIZE>"
    return _owned("IMAGE", number, inside, rights, gid, name, uid, more)


def _owned(tag: str, number: int, inside: str, rights: str, gid: int, name: str, uid: int, more: str) -> Element:
    permissions = "".join(RIGHTS[letter] for letter in rights)
    return fromstring(
        f"<{tag}><ID>{number}</ID><UID>{uid}</UID><GID>{gid}</GID><NAME>{name}</NAME>{more}"
        f"<PERMISSIONS>{permissions}</PERMISSIONS><TEMPLATE>{inside}</TEMPLATE></{tag}>"
    )
