"""What a setting is: kinds of values, and the tables in which each room declares its own settings.

A table is a frozen dataclass whose fields are made by :func:`setting`, :func:`section` and :func:`sections`. One
table gives the loaded values (typed, as attributes), the errors, the samples in ``etc/``, the JSON Schema, the
reference page and the man page. This package knows neither YAML nor files: ``config`` does.

Rules between values of one table: a method ``faults(self) -> Iterable[Tuple[str, str]]`` yields pairs of a key and
what is wrong with it; it is called once every value of the table was parsed.
"""

from __future__ import annotations

from fedcloud_agent.settings.kinds import (
    AbsolutePath,
    Boolean,
    Choice,
    Either,
    Integer,
    Kind,
    ListOf,
    Number,
    Text,
    Url,
)
from fedcloud_agent.settings.secret import (
    Secret,
    SecretFile,
)
from fedcloud_agent.settings.tables import (
    REQUIRED,
    Entry,
    Section,
    Sections,
    Setting,
    entries,
    room_help,
    section,
    sections,
    setting,
    shorthand,
)
from fedcloud_agent.settings.units import (
    Date,
    Duration,
    Moment,
    Schedule,
    Size,
    When,
)

__all__ = [
    "REQUIRED",
    "AbsolutePath",
    "Boolean",
    "Choice",
    "Date",
    "Duration",
    "Either",
    "Entry",
    "Integer",
    "Kind",
    "ListOf",
    "Moment",
    "Number",
    "Schedule",
    "Secret",
    "SecretFile",
    "Section",
    "Sections",
    "Setting",
    "Size",
    "Text",
    "Url",
    "When",
    "entries",
    "room_help",
    "section",
    "sections",
    "setting",
    "shorthand",
]
