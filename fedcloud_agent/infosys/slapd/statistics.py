"""The part of the tree that tells of publishing itself: ``o=infosys``, as monitoring expects it.

Names and identifiers are those that information systems of the federation have always had.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from fedcloud_agent.infosys import ldif
from fedcloud_agent.infosys.entry import Entry

SUFFIX = "o=infosys"
_OID = "1.3.6.1.4.1.8006.100.3"
# the class has another root than its attributes; so it is known
_CLASS_OID = "1.2.6.1.4.1.8006.100.3"
_COUNTS: Tuple[Tuple[str, str], ...] = (
    ("TotalEntries", "entries that are served"),
    ("UpdateTime", "seconds that the last round took"),
    ("DBUpdateTime", "seconds of it in which the server was changed"),
    ("NewEntries", "entries that it added"),
    ("QueryTime", "seconds in which the server was read"),
    ("ProvidersTime", "seconds in which the clouds were asked"),
    ("PluginsTime", "seconds in which what they told was rendered"),
    ("FailedAdds", "entries that the server did not take"),
    ("ModifiedEntries", "entries that the last round changed"),
    ("DeletedEntries", "entries that it removed"),
    ("FailedDeletes", "entries that the server did not remove"),
    ("FailedModifies", "entries that the server did not change"),
    ("ReadTime", "seconds in which the kept tree was read"),
)
COUNTS: Tuple[str, ...] = tuple(name for name, _ in _COUNTS)
"""The attributes that count or measure: whole numbers, every one of them obligatory."""


def schema() -> str:
    """Return the schema of this part, for slapd."""
    text, number = "1.3.6.1.4.1.1466.115.121.1.26", "1.3.6.1.4.1.1466.115.121.1.27"
    lines = [
        f"attributetype ( {_OID}.1 NAME 'Hostname' DESC 'the host that publishes'",
        f"  EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX {text} SINGLE-VALUE )",
    ]
    for place, (name, meaning) in enumerate(_COUNTS, 2):
        lines.append(f"attributetype ( {_OID}.{place} NAME '{name}' DESC '{meaning}'")
        lines.append(f"  EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX {number} SINGLE-VALUE )")
    lines.append(f"objectclass ( {_CLASS_OID} NAME 'UpdateStats' DESC 'how publishing fares' STRUCTURAL")
    lines.append(f"  MUST ( {' $ '.join(('Hostname', *COUNTS))} ) )")
    return "\n".join(lines) + "\n"


def dn_of(host: str) -> str:
    """Return the DN of a host's figures."""
    return f"Hostname={host},{SUFFIX}"


def records(host: str) -> Iterator[bytes]:
    """Yield this part as it is before anything was published: LDIF, with every figure zero."""
    figures = Entry(
        dn_of(host), {"objectClass": ("UpdateStats",), "Hostname": (host,), **dict.fromkeys(COUNTS, ("0",))}
    )
    for entry in (Entry(SUFFIX, {"objectClass": ("organization",), "o": ("infosys",)}), figures):
        yield ldif.record(entry).encode("utf-8")
