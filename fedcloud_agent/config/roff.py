"""The few words of roff (man macros) that our man pages need. Pure: text in, lines out."""

from __future__ import annotations

import re
from typing import Iterator


def escaped(text: str) -> str:
    """Return text that roff sets as it stands: backslashes and hyphens kept, no line taken for a macro."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in safe.split("\n"))


def bold(text: str) -> str:
    """Return text in bold."""
    return f"\\fB{escaped(text)}\\fR"


def title(name: str, section: int, release: str, what: str) -> str:
    """Return the first line of a page. It carries no date, so that the same sources give the same page."""
    return f'.TH {escaped(name).upper()} {section} "" "{escaped(release)}" "{escaped(what)}"'


def head(text: str) -> str:
    """Begin a section."""
    return f'.SH "{escaped(text)}"'


def subhead(text: str) -> str:
    """Begin a part of a section."""
    return f'.SS "{escaped(text)}"'


def paragraphs(text: str) -> Iterator[str]:
    """Yield a text as paragraphs; in the source they are apart by an empty line."""
    for part in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        yield escaped(" ".join(part.split()))


def term(name: str, text: str) -> Iterator[str]:
    """Yield a term, already marked up, and what it means."""
    yield ".TP"
    yield name
    yield escaped(" ".join(text.split()))


def verbatim(text: str) -> Iterator[str]:
    """Yield lines that keep their breaks and blanks."""
    yield ".PP"
    yield ".nf"
    yield ".RS 4"
    yield from (escaped(line) for line in text.strip("\n").split("\n"))
    yield ".RE"
    yield ".fi"
