"""The commented sample of agent.yaml. Take the '#' off a line and it is in force; prose has a space after its '#'."""

from __future__ import annotations

import textwrap
from typing import Any, Iterator, List, Mapping, Type, Union

from fedcloud_agent.config.listing import written_form
from fedcloud_agent.config.tables import TYPE, Room, variants_of
from fedcloud_agent.settings import REQUIRED, Section, Sections, Setting, Text, entries, room_help, shorthand

_WIDTH = 110
_HEAD = (
    "Configuration of fedcloud-agent.",
    "Explanations have a space after the '#'. Settings have none: take the '#' off to change one. What is commented "
    "out shows the default, or an example where there is none; what is marked REQUIRED must be given.",
    "Files in conf.d/*.yaml are laid over this one in the order of their names: mappings merge, values and lists "
    "replace. Durations have a unit (s, min, h, d), and so have sizes (B, kB, MB, GB, KiB, MiB, GiB); a schedule is "
    "'every 1h' or five crontab fields in UTC. Secrets are given by the path of their file, or by the name of a "
    "systemd credential. After a change: 'fedcloud-agent config check', then reload the service.",
)


def flow(value: object) -> str:
    """Return a value in YAML on one line."""
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False)
    return text.replace("\n...\n", "").strip()


def sample(rooms: Mapping[str, Room]) -> str:
    """Return the text of agent.yaml, every key explained and commented out."""
    lines: List[str] = []
    for paragraph in _HEAD:
        lines += [*_prose(paragraph, 0)]
    for key, room in rooms.items():
        lines += ["", ""]
        if isinstance(room, Sections):
            lines += [f"# ---- {key}", *_prose(room.help, 0), f"#{key}:", *_sections(room, 1)]
            continue
        lines += [f"# ---- {key}", *_prose(room_help(room), 0)]
        declared = entries(room)
        short = shorthand(room)
        if short is not None and list(declared) == [short]:
            entry = declared[short]
            assert isinstance(entry, Setting)
            lines += [*_setting(key, entry, 0)]
        else:
            lines += [f"#{key}:", *_table(room, 1)]
    return "\n".join(lines) + "\n"


def _prose(text: str, depth: int) -> Iterator[str]:
    margin = "  " * depth + "# "
    yield from textwrap.wrap(text, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def explanation(entry: Setting) -> str:
    """Return the help of a setting and what it takes, unless that is any text."""
    return entry.help if entry.kind.brief == Text().brief else f"{entry.help} Takes {entry.kind.brief}."


def _setting(name: str, entry: Setting, depth: int) -> Iterator[str]:
    written = written_form(entry.kind, entry.default)
    text = explanation(entry)
    if entry.default is REQUIRED:
        text = f"REQUIRED. {text}"
    elif written is None and "Default:" not in text:
        text = f"{text} Not set by default."
    shown = entry.example if written is None else written
    yield from _prose(text, depth)
    yield f"{'  ' * depth}#{name}: {'' if shown is None else flow(shown)}".rstrip()


def _table(table: Type[Any], depth: int, without: str = "") -> Iterator[str]:
    for name, entry in entries(table).items():
        if name == without:
            continue
        yield ""
        if isinstance(entry, Setting):
            yield from _setting(name, entry, depth)
        else:
            note = " Absent unless it is written." if isinstance(entry, Section) and entry.optional else ""
            yield from _prose(entry.help + note, depth)
            yield f"{'  ' * depth}#{name}:"
            yield from _table(entry.table, depth + 1) if isinstance(entry, Section) else _sections(entry, depth + 1)


def _sections(entry: Sections, depth: int) -> Iterator[str]:
    margin = "  " * depth
    if entry.variants is None:
        assert entry.table is not None
        yield f"{margin}#{entry.example or 'example'}:"
        yield from _table(entry.table, depth + 1)
        return
    for number, (word, table) in enumerate(_usable(variants_of(entry)).items()):
        yield ""
        yield from _prose(room_help(table), depth)
        yield f"{margin}#{entry.example if number == 0 and entry.example else 'example-' + word}:"
        yield from _prose("REQUIRED. Which of the kinds of sections this one is.", depth + 1)
        yield f"{margin}  #{TYPE}: {word}"
        yield from _table(table, depth + 1, without=TYPE)


def _usable(variants: Mapping[str, Union[Type[Any], str]]) -> Mapping[str, Type[Any]]:
    return {word: table for word, table in variants.items() if isinstance(table, type)}
