"""The JSON Schema (draft 7) of agent.yaml, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Type

from fedcloud_agent.config.listing import written_form
from fedcloud_agent.config.tables import TYPE, Room, variants_of
from fedcloud_agent.settings import (
    REQUIRED,
    Entry,
    Section,
    Sections,
    Setting,
    Text,
    entries,
    room_help,
    shorthand,
)

Schema = Dict[str, Any]


def schema(rooms: Mapping[str, Room]) -> Schema:
    """Return the schema of the whole file; a file of conf.d may leave out what another one gives."""
    properties: Dict[str, Schema] = {}
    required: List[str] = []
    for key, room in rooms.items():
        if isinstance(room, Sections):
            properties[key] = _sections(room)
            continue
        properties[key] = {**_table(room), "description": room_help(room)}
        if _needed(room):
            required.append(key)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of fedcloud-agent",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _needed(table: Type[Any]) -> bool:
    return any(_is_needed(entry) for entry in entries(table).values())


def _is_needed(entry: Entry) -> bool:
    if isinstance(entry, Setting):
        return entry.default is REQUIRED
    return isinstance(entry, Section) and not entry.optional and _needed(entry.table)


def _table(table: Type[Any]) -> Schema:
    declared = entries(table)
    described = {
        "type": "object",
        "properties": {name: _entry(entry) for name, entry in declared.items()},
        "required": [name for name, entry in declared.items() if _is_needed(entry)],
        "additionalProperties": False,
    }
    short = declared.get(shorthand(table) or "")
    return {"anyOf": [short.kind.schema(), described]} if isinstance(short, Setting) else described


def _entry(entry: Entry) -> Schema:
    if isinstance(entry, Section):
        return {**_table(entry.table), "description": entry.help}
    if isinstance(entry, Sections):
        return _sections(entry)
    described: Schema = entry.kind.schema()
    if entry.default is None:
        described = {"anyOf": [described, {"type": "null"}]}
    described["description"] = entry.help
    default = written_form(entry.kind, entry.default)
    if default is not None:
        described["default"] = default
    if entry.example is not None:
        described["examples"] = [entry.example]
    return described


def _sections(entry: Sections) -> Schema:
    described: Schema = {"type": "object", "description": entry.help}
    if isinstance(entry.key, Text) and entry.key.pattern:
        described["propertyNames"] = entry.key.schema()
    if entry.variants is None:
        assert entry.table is not None
        return {**described, "additionalProperties": _table(entry.table)}
    usable = {word: table for word, table in variants_of(entry).items() if isinstance(table, type)}
    branches = []
    for word, table in usable.items():
        then = _table(table)
        then["properties"] = {TYPE: {"const": word}, **then["properties"]}
        branches.append({"if": {"properties": {TYPE: {"const": word}}, "required": [TYPE]}, "then": then})
    one: Schema = {"type": "object", "required": [TYPE], "properties": {TYPE: {"enum": list(usable)}}}
    if branches:
        one["allOf"] = branches
    else:
        # without a plugin there is no type to choose, and an empty enumeration is no schema
        one["properties"] = {TYPE: {"type": "string"}}
    return {**described, "additionalProperties": one}
