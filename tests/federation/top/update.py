"""One round of bdii-update: what slapd holds, as it says itself, becomes what the sources say.

Both are LDIF, read as text: an entry begins at ``dn:``, wherever that stands. Differences go out through the tools of
OpenLDAP: what is new, the shortest DN first; what has changed, attribute by attribute; what is gone, the shortest DN
first again, so that a whole branch needs a round for each of its levels. A tool that is refused goes on with the rest.
"""

from __future__ import annotations

import base64
import re
import subprocess
from typing import Dict, List, NamedTuple, Sequence

from tests.federation.top.directory import SUFFIX, Directory

_BEGIN = re.compile("dn:")
_BLANKS = re.compile(r"\s*([,=])\s*")
_SAFE = re.compile("[\x01-\x09\x0b\x0c\x0e-\x1f\x21-\x39\x3b\x3d-\x7f][\x01-\x09\x0b\x0c\x0e-\x7f]*")
_FAILED = re.compile(r"^(?:ldap_\w+|Delete Result): .*\((\d+)\)$", re.MULTILINE)
_SECONDS = 300

Attributes = Dict[str, List[str]]
"""Of one entry, by name in lower case; ``dn`` is one of them."""


class Changes(NamedTuple):
    """What has to be done: LDIF of new entries and of modifications, and the DNs of those that are gone."""

    adds: List[str]
    modifies: List[str]
    deletes: List[str]
    strays: List[str]
    """DNs that are not below the suffix: nothing is done about them."""


class Outcome(NamedTuple):
    """What a round did: what was sent and not refused. ``entries`` is what slapd holds after it."""

    entries: int
    added: int
    modified: int
    deleted: int
    delayed: int
    errors: List[str]


def records(text: str) -> Dict[str, str]:
    """Return the text of each entry by its DN in lower case; of two with one DN, the first."""
    text = text.replace("\n ", "")
    starts = [match.start() for match in _BEGIN.finditer(text)]
    found: Dict[str, str] = {}
    for start, end in zip(starts, [*starts[1:], len(text)]):
        record = text[start:end]
        dn = record.partition("\n")[0][len("dn:") :].strip().lower()
        found.setdefault(_BLANKS.sub(r"\1", dn), record)
    return found


def attributes(record: str) -> Attributes:
    """Return the values of each attribute, once each, in their order."""
    found: Attributes = {}
    for line in record.split("\n"):
        name, colon, rest = line.partition(":")
        if colon:
            value = rest.strip()
            if value.startswith(":"):
                value = base64.b64decode(value[1:]).decode("utf-8", "surrogateescape")
            values = found.setdefault(name.lower(), [])
            if value not in values:
                values.append(value)
    return found


def line(name: str, value: str) -> str:
    if not value or _SAFE.fullmatch(value):
        return f"{name}: {value}\n"
    return f"{name}:: {base64.b64encode(value.encode('utf-8', 'surrogateescape')).decode()}\n"


def ldif(entry: Attributes) -> str:
    """Return an entry as it is added."""
    rest = (line(name, value) for name, values in entry.items() if name != "dn" for value in values)
    return f"dn: {entry['dn'][0]}\n{''.join(rest)}\n"


def modification(old: Attributes, new: Attributes) -> str:
    """Return how an entry is changed; empty when it is not. Values in another order are another value."""
    parts = []
    for verb, names in (
        ("add", [name for name in new if name not in old]),
        ("replace", [name for name in new if name in old and new[name] != old[name] and name != "dn"]),
        ("delete", [name for name in old if name not in new]),
    ):
        for name in names:
            values = () if verb == "delete" else new[name]
            parts.append(f"{verb}: {name}\n{''.join(line(name, value) for value in values)}-\n")
    return f"dn: {new['dn'][0]}\nchangetype: modify\n{''.join(parts)}\n" if parts else ""


def compare(old_text: str, new_text: str) -> Changes:
    """Return what leads from what slapd holds to what the sources say."""
    old, told = records(old_text), records(new_text)
    new = {dn: record for dn, record in told.items() if dn.endswith(SUFFIX)}
    coming = sorted((dn for dn in new if dn not in old), key=len)
    modifies = [modification(attributes(old[dn]), attributes(record)) for dn, record in new.items() if dn in old]
    gone = sorted((dn for dn in old if dn not in new), key=len)
    return Changes(
        [ldif(attributes(new[dn])) for dn in coming],
        [one for one in modifies if one],
        [attributes(old[dn])["dn"][0] for dn in gone],
        [dn for dn in told if dn not in new],
    )


class Update:
    """Rounds into one slapd, which is empty at the first one. ``delete_delay`` is in seconds."""

    def __init__(self, directory: Directory, delete_delay: float = 0.0) -> None:
        self._directory = directory
        self._delay = delete_delay
        self._held = directory.directory / "old.ldif"
        self._held.unlink(missing_ok=True)
        self._missing: Dict[str, float] = {}
        """Since when each DN is no more among what the sources say."""

    def round(self, new: str, now: float) -> Outcome:
        """Bring slapd from what it holds to ``new``, all sources in one text."""
        old = self._held.read_text(encoding="utf-8", errors="surrogateescape") if self._held.exists() else ""
        changes = compare(old, new)
        due = self._due(changes.deletes, now)
        errors = [f"below no suffix: {dn!r}" for dn in changes.strays]
        added = self._tool("ldapadd", changes.adds, errors)
        modified = self._tool("ldapmodify", changes.modifies, errors)
        deleted = self._tool("ldapdelete", [f"{dn}\n" for dn in due], errors)
        return Outcome(self.dump(), added, modified, deleted, len(changes.deletes) - len(due), errors)

    def dump(self) -> int:
        """Write down what slapd says that it holds, for the next round, and return how many entries that is."""
        with self._held.open("wb") as stream:
            command = ["ldapsearch", "-x", "-LLL", "-H", self._directory.url, "-b", SUFFIX]
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
        text = self._held.read_bytes()
        # an empty slapd says that there is no such object
        return text.count(b"\ndn:") + text.startswith(b"dn:") if done.returncode in (0, 32) else -1

    def _due(self, gone: Sequence[str], now: float) -> List[str]:
        """Return what has been gone for long enough. What slapd then refuses to delete has to wait anew."""
        missing = {dn: self._missing.get(dn, now) for dn in gone}
        due = {dn for dn, since in missing.items() if self._delay <= 0 or since + self._delay < now}
        self._missing = {dn: since for dn, since in missing.items() if dn not in due}
        return [dn for dn in gone if dn in due]

    def _tool(self, tool: str, lines: Sequence[str], errors: List[str]) -> int:
        """Let a tool do everything, and return how much of it was done."""
        if not lines:
            return 0
        password = str(self._directory.password_file)
        done = subprocess.run(
            [tool, "-x", "-c", "-H", self._directory.url, "-D", self._directory.root, "-y", password],
            input="".join(lines),
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_SECONDS,
            check=False,
        )
        refused = _FAILED.findall(f"{done.stdout}\n{done.stderr}")
        if done.returncode != 0:
            said = " ".join(done.stderr.split())[:300]
            errors.append(f"{tool}: {len(refused)} of {len(lines)} refused, exit {done.returncode}: {said}")
        return len(lines) - len(refused)
