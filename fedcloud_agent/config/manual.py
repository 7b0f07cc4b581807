"""The man page of the configuration, from the tables of settings."""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Type

from fedcloud_agent.config import roff
from fedcloud_agent.config.listing import written_form
from fedcloud_agent.config.sample import explanation, flow
from fedcloud_agent.config.tables import TYPE, Room, variants_of
from fedcloud_agent.settings import REQUIRED, Section, Sections, Setting, entries, room_help, shorthand

NAME = "fedcloud-agent.conf"

_DESCRIPTION = """\
The agent reads /etc/fedcloud-agent/agent.yaml, then /etc/fedcloud-agent/conf.d/*.yaml in the order of their names.
Mappings merge; values and lists of a later file replace those of an earlier one. Unknown keys, keys given twice and
values of the wrong kind are faults, each shown with file, line and column. A fault below clouds.NAME disables that
cloud and lets the others run; any other fault stops the agent with exit code 78.

Durations have a unit (s, min, h, d), and so have sizes (B, kB, MB, GB, KiB, MiB, GiB). A schedule is 'every 1h' or five
crontab fields in UTC. Secrets are given by the path of their file, or by the name of a systemd credential.

After a change: 'fedcloud-agent config check', then 'systemctl reload fedcloud-agent'."""

_EXAMPLE = """\
site: EXAMPLE-SITE
clouds:
  main:
    type: openstack
    auth:
      auth_url: https://keystone.example.org:5000/v3
      username: accounting
      user_domain_name: Default
      password_file: /etc/fedcloud-agent/keystone.secret
    vos:
      vo.example.org: {project: vo-example}
accounting:
  first_run: backfill
  destinations:
    central: {type: stomp, brokers: ["stomp+ssl://broker.example.org:6162"]}"""


def manual(rooms: Mapping[str, Room], release: str) -> str:
    """Return the page in roff; ``release`` names the program with its version."""
    lines: List[str] = [roff.title(NAME, 5, release, "File formats"), roff.head("Name")]
    lines.append(f"{roff.escaped(NAME)} \\- configuration of the agent of a federated cloud site")
    lines += [roff.head("Description"), *roff.paragraphs(_DESCRIPTION)]
    lines += [roff.head("Example"), *roff.verbatim(_EXAMPLE), roff.head("Settings")]
    for key, room in rooms.items():
        if isinstance(room, Sections):
            lines += _sections(key, room)
        else:
            lines += _table(key, room, room_help(room))
    lines += [roff.head("See also"), "\\fBfedcloud\\-agent\\fR(8)"]
    return "\n".join(lines) + "\n"


def _table(path: str, table: Type[Any], text: str, heading: str = "") -> Iterator[str]:
    yield roff.subhead(heading or path)
    yield from roff.paragraphs(text)
    short = shorthand(table)
    if short:
        yield from roff.paragraphs(f"'{path}: VALUE' stands for '{path}: {{{short}: VALUE}}'.")
    declared = entries(table)
    for name, entry in declared.items():
        if isinstance(entry, Setting):
            yield from roff.term(roff.bold(name), _meaning(entry))
    for name, entry in declared.items():
        below = f"{path}.{name}"
        if isinstance(entry, Section):
            yield from _table(below, entry.table, entry.help + (" May be left out." if entry.optional else ""))
        elif isinstance(entry, Sections):
            yield from _sections(below, entry)


def _meaning(entry: Setting) -> str:
    text = explanation(entry)
    if entry.default is REQUIRED:
        text += " Required."
    else:
        written = written_form(entry.kind, entry.default)
        if written is not None:
            text += f" Default: {flow(written)}."
        elif "Default:" not in text:
            text += " Not set by default."
    return text + ("" if entry.example is None else f" Example: {flow(entry.example)}.")


def _sections(path: str, entry: Sections) -> Iterator[str]:
    below = f"{path}.NAME"
    what = f"{entry.help} NAME is {entry.key.expects}."
    if entry.variants is None:
        assert entry.table is not None
        yield from _table(below, entry.table, what)
        return
    yield roff.subhead(below)
    yield from roff.paragraphs(f"{what} The key '{TYPE}' says which of the following it is.")
    for word, table in variants_of(entry).items():
        if isinstance(table, type):
            yield from _table(below, table, room_help(table), f"{below} of type {word}")
