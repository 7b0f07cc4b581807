"""The site's own lines, each with what is wrong in it below; secrets that stand in them are masked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from fedcloud_agent.config.faults import MASK, Fault, in_order, printable

_WORD = r"(?:pass(?:word|wd|phrase)?|secret|token|credential|api_?key|private_?key)"
# the value of a key that sounds like a secret, unless it is a path; and the password in a URL
_SECRETS = re.compile(
    rf"""(?P<key>{_WORD}[\w.-]*["']?\s*:\s*)(?!["']?/)(?P<value>"[^"]*"?|'[^']*'?|[^\s,}}#][^,}}#]*)"""
    r"""|(?P<url>://[^\s/@:"']*:)(?P<password>[^\s"']*)(?=@)""",
    re.IGNORECASE,
)
_WIDEST = 160


def masked(line: str, column: int) -> Tuple[str, int]:
    """Return a line with secrets masked, and where its 1-based ``column`` is then."""
    shown, end, at = "", 0, column
    for match in _SECRETS.finditer(line):
        start, stop = match.span("value") if match.group("value") else match.span("password")
        if stop <= start:
            continue
        shown += line[end:start] + "***"
        if column - 1 >= stop:
            at += 3 - (stop - start)
        elif column - 1 > start:
            at -= column - 1 - start
        end = stop
    return shown + line[end:], at


def _lines(file: str) -> List[str]:
    # the rules of YAML for what ends a line; imported late, as PyYAML comes with it
    from fedcloud_agent.config.yaml import BREAK, LARGEST

    try:
        path = Path(file)
        if not path.is_file():
            return []
        with path.open("rb") as stream:
            return BREAK.split(stream.read(LARGEST).decode("utf-8-sig", "replace"))
    except OSError:
        return []


def annotate(faults: Iterable[Fault]) -> Iterator[str]:
    """Yield the print: for each file its name, then each bad line with a caret and the fault under it."""
    faults = in_order(faults)
    # where a fault masks its value, the line must too, however the secret is spelled: nothing after it is shown
    hidden = {(f.origin.file, f.origin.line): f for f in reversed(faults) if f.written and MASK in f.written}
    texts: Dict[str, List[str]] = {}
    current: Optional[str] = None
    shown_line = 0
    for fault in faults:
        file, number, column = fault.origin
        if file != current:
            if current is not None:
                yield ""
            yield f"{file}:"
            current, shown_line = file, 0
            texts.setdefault(file, _lines(file))
        lines = texts[file]
        if number > len(lines):
            yield f"  line {number}: {fault.sentence()}"
            continue
        line, at = printable(lines[number - 1].replace("\t", " ")), column
        if (file, number) in hidden:
            secret = hidden[file, number]
            line = f"{line[: secret.origin.column - 1]}{secret.written} ..."
        line, at = masked(line, at)
        if at > _WIDEST // 2:
            cut = at - _WIDEST // 2
            line, at = "..." + line[cut + 3 :], at - cut
        if number != shown_line:
            yield f"{number:5d} | {line[:_WIDEST]}"
            shown_line = number
        yield f"      | {' ' * (at - 1)}^ {fault.sentence()}"
