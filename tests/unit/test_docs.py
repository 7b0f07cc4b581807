"""What the documents show exists: commands, options, links, anchors, targets; and they leave nothing out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Iterator, List, Tuple

import click
import pytest

from fedcloud_agent.accounting.record import FIELDS, KEYS
from fedcloud_agent.accounting.tables import record
from fedcloud_agent.cli.main import cli
from fedcloud_agent.cli.man import exit_codes
from fedcloud_agent.outbox.table import message

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:\$ |sudo -u \w+ )*(?:\.venv/bin/)?fedcloud-agent( .*)?$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def commands(text: str) -> Iterator[str]:
    """Yield what is typed after ``fedcloud-agent``, in blocks without a language and between backticks."""
    shown = [line.strip() for language, block in _FENCE.findall(text) if not language for line in block.splitlines()]
    shown += re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    for line in shown:
        found = _COMMAND.match(line)
        if found:
            yield re.split(r"\s[>|#;&]", found.group(1) or "")[0].strip()


def every_command() -> List[Tuple[str, str]]:
    found = {(str(page.relative_to(ROOT)), words) for page in PAGES for words in commands(page.read_text("utf-8"))}
    return sorted(found)


def understand(words: str) -> None:
    """Parse a command line down to its last option, without running it. Raises what click raises."""
    context = cli.make_context("fedcloud-agent", shlex.split(words))
    while isinstance(context.command, click.Group):
        rest = [*getattr(context, "protected_args", ()), *context.args]
        if not rest and context.command.invoke_without_command:
            return
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


def test_the_documents_show_commands() -> None:
    assert len(every_command()) > 30


@pytest.mark.parametrize(("page", "words"), every_command())
def test_a_command_that_is_shown_exists(page: str, words: str) -> None:
    try:
        understand(words)
    except click.exceptions.Exit:
        pass  # --help and --version, and groups that show their commands
    except click.ClickException as error:
        if type(error).__name__ != "NoArgsIsHelpError":
            pytest.fail(f"{page}: fedcloud-agent {words}: {error.format_message()}")


@pytest.mark.parametrize("words", ["accounting repeat", "accounting show --form 2026-01", "accounting export"])
def test_a_command_that_does_not_exist_is_noticed(words: str) -> None:
    with pytest.raises(click.ClickException):
        understand(words)


def anchors(page: Path) -> List[str]:
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(page.read_text("utf-8")) if "://" not in link)
        waiting += [(page.parent / link).resolve() for link in links if link]
    assert set(PAGES) - seen == set()


def test_make_targets_exist() -> None:
    known = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert known is not None
    shown = set(re.findall(r"`make ([a-z-]+)`", all_text())) | set(
        re.findall(r"^make ([a-z-]+)", all_text(), re.MULTILINE)
    )
    assert {"demo", "test", "bench"} <= shown
    assert shown - set(known.group(1).split()) == set()


def all_text() -> str:
    return "\n".join(page.read_text("utf-8") for page in PAGES)


def test_every_field_of_a_record_is_explained() -> None:
    text = (ROOT / "docs/reference/accounting-records.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\w+)((?: [+*])*) \|", text, re.MULTILINE))
    rows.pop("Key")
    assert tuple(rows) == FIELDS
    assert {name for name, marks in rows.items() if "*" in marks} == set(KEYS)


def test_every_exit_code_is_explained() -> None:
    for name in ("README.md", "docs/reference/exit-codes.md", "docs/howto/read-the-exit-codes.md"):
        text = (ROOT / name).read_text("utf-8")
        told = {
            int(code) for cell in re.findall(r"\| ([\d, ]+) (?=\|)", text) for code in cell.split(",") if code.strip()
        }
        missing = set(exit_codes()) - told
        assert missing <= ({71} if name == "README.md" else {0} if "howto" in name else set()), name


def test_every_table_is_explained() -> None:
    text = (ROOT / "docs/reference/state-directory.md").read_text("utf-8")
    assert record.metadata is message.metadata
    for table in record.metadata.tables:
        assert f"| `{table}` |" in text
