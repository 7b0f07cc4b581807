"""What real servers answered, and a simulated site that is as theirs was."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, Dict, List

from tests.integration.federation.opennebula.conftest import Client

DATA = Path(__file__).parents[3] / "data" / "opennebula"
PASSWORDS = {"oneadmin": "opennebula", "plain": "throw-away-2", "disabled-user": "throw-away-3"}
PASSWORDS["fedcloud-accounting"] = "throw-away-1"


def body(name: str) -> bytes:
    """Return the body of a recorded answer."""
    return (DATA / f"{name}.response.xml").read_bytes()


def text(name: str) -> str:
    """Return the document inside of a recorded answer."""
    found = re.search(r"<value><string>(.*)</string></value>", body(name).decode(), re.DOTALL)
    assert found is not None
    return html.unescape(found.group(1))


def document(name: str) -> ElementTree.Element:
    """Return the document inside of a recorded answer."""
    return ElementTree.fromstring(text(name))


def pairs(element: Any) -> List[Any]:
    """Return the attributes below an element as the simulator takes templates."""
    return [[child.tag, pairs(child) if len(child) else child.text or ""] for child in element]


def quotas(pool: ElementTree.Element) -> Dict[int, str]:
    """Return the quotas that stand between the rows of a pool, as they were written."""
    return {
        int(row.findtext("ID") or -1): "".join(_verbatim(child) for child in row if child.tag != "ID")
        for row in pool.iterfind("QUOTAS")
    }


def _verbatim(element: ElementTree.Element) -> str:
    if len(element):
        return f"<{element.tag}>{''.join(map(_verbatim, element))}</{element.tag}>"
    inner = f"<![CDATA[{element.text}]]>" if element.text else ""
    return f"<{element.tag}>{inner}</{element.tag}>"


def people(client: Client) -> None:
    """Let there be the groups, users and rules of the recorded 6.10 site."""
    oned = client.oned
    groups = document("6.10/calls/grouppool.info")
    limits = quotas(groups)
    for row in groups.iterfind("GROUP"):
        key = int(row.findtext("ID") or -1)
        template = pairs(row.find("TEMPLATE"))
        shown = limits[key] if "<VM>" in limits[key] else ""
        oned.create_group(row.findtext("NAME") or "", id=key, template=template, quotas=shown)
    users = document("6.10/calls/userpool.info")
    limits = quotas(users)
    for row in users.iterfind("USER"):
        key, name = int(row.findtext("ID") or -1), row.findtext("NAME") or ""
        groups_of = [int(row.findtext("GID") or 0)] + [int(group.text or 0) for group in row.iterfind("GROUPS/ID")]
        oned.create_user(
            name,
            id=key,
            driver=row.findtext("AUTH_DRIVER"),
            password=PASSWORDS.get(name, ""),
            # Before 5.10 the digests were others than the recorded ones.
            stored=row.findtext("PASSWORD") if oned.profile in ("5.12", "6.10") else None,
            groups=list(dict.fromkeys(groups_of)),
            enabled=row.findtext("ENABLED") == "1",
            template=pairs(row.find("TEMPLATE")),
            tokens=[
                [token.findtext("TOKEN"), token.findtext("EXPIRATION_TIME"), token.findtext("EGID")]
                for token in row.iterfind("LOGIN_TOKEN")
            ],
            quotas=limits[key] if "<VM>" in limits[key] else "",
        )
    for row in document("6.10/calls/acl.info"):
        oned.create_rule(row.findtext("STRING") or "", int(row.findtext("ID") or -1))


def elements(name: str, tag: str) -> Dict[int, str]:
    """Return the elements of a recorded pool as they were written, by id."""
    found = re.findall(rf"<{tag}><ID>.*?</{tag}>(?=<{tag}><ID>|</{tag}_POOL>)", text(name), re.DOTALL)
    return {int(re.search(r"<ID>(\d+)</ID>", row).group(1)): row for row in found}  # type: ignore[union-attr]
