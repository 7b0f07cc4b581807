"""The reference page: every key with what it takes, its default and its meaning, in Markdown."""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Type

from fedcloud_agent.config.listing import written_form
from fedcloud_agent.config.sample import explanation, flow
from fedcloud_agent.config.tables import TYPE, Room, variants_of
from fedcloud_agent.settings import REQUIRED, Section, Sections, Setting, entries, room_help, shorthand

_HEAD = """\
# Configuration

The agent reads `/etc/fedcloud-agent/agent.yaml`, then `/etc/fedcloud-agent/conf.d/*.yaml` in the order of their names.
Mappings merge; values and lists of a later file replace those of an earlier one. Unknown keys, keys given twice and
values of the wrong kind are faults, each reported with file, line and column. A fault below `clouds.NAME` disables that
cloud and lets the others run; any other fault stops the agent (exit code 78).

- `fedcloud-agent config check` shows every fault in its line, and whether the files of secrets can be used;
- `fedcloud-agent config show` shows each value in force and where it comes from;
- `fedcloud-agent config sample` prints a commented `agent.yaml`;
- `fedcloud-agent config schema` prints a JSON Schema for editors.

Only `true` and `false` are booleans. Durations have a unit (`s`, `min`, `h`, `d`), and so have sizes (`B`, `kB`, `MB`,
`GB`, `KiB`, `MiB`, `GiB`); a schedule is `every 1h` or five crontab fields in UTC. A key without a value counts as
absent. Secrets are never written here, only the paths of their files or the names of systemd credentials.

This page is made by `fedcloud-agent config reference`.
"""


def reference(rooms: Mapping[str, Room]) -> str:
    """Return the page."""
    lines: List[str] = [_HEAD.rstrip("\n")]
    for key, room in rooms.items():
        if isinstance(room, Sections):
            lines += _sections(key, room, 2)
        else:
            lines += _table(key, room, room_help(room), 2)
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _default(entry: Setting) -> str:
    if entry.default is REQUIRED:
        return "**required**"
    written = written_form(entry.kind, entry.default)
    return "not set" if written is None else f"`{_cell(flow(written))}`"


def _meaning(entry: Setting) -> str:
    example = "" if entry.example is None else f" Example: `{_cell(flow(entry.example))}`."
    return f"{_cell(explanation(entry))}{example}"


def _table(path: str, table: Type[Any], text: str, level: int, title: str = "") -> Iterator[str]:
    yield f"\n{'#' * min(level, 5)} {title or f'`{path}`'}\n"
    yield text
    short = shorthand(table)
    if short:
        yield f"\n`{path}: VALUE` stands for `{path}: {{{short}: VALUE}}`."
    declared = entries(table)
    plain = {name: entry for name, entry in declared.items() if isinstance(entry, Setting)}
    if plain:
        yield "\n| Key | Default | Meaning |\n|---|---|---|"
        for name, value in plain.items():
            yield f"| `{name}` | {_default(value)} | {_meaning(value)} |"
    for name, entry in declared.items():
        below = f"{path}.{name}"
        if isinstance(entry, Section):
            note = " Absent unless it is written." if entry.optional else ""
            yield from _table(below, entry.table, entry.help + note, level + 1)
        elif isinstance(entry, Sections):
            yield from _sections(below, entry, level + 1)


def _sections(path: str, entry: Sections, level: int) -> Iterator[str]:
    below = f"{path}.NAME"
    if entry.variants is None:
        assert entry.table is not None
        yield from _table(below, entry.table, f"{entry.help} NAME is {entry.key.expects}.", level)
        return
    yield f"\n{'#' * min(level, 5)} `{below}`\n"
    yield f"{entry.help} NAME is {entry.key.expects}. The key `{TYPE}` says which of the following it is."
    for word, table in variants_of(entry).items():
        if isinstance(table, type):
            yield from _table(below, table, room_help(table), level + 1, f"`{below}` of type `{word}`")
