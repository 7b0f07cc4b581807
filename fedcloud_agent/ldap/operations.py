"""What is asked of a directory, and what it answers."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple, Union


class Add(NamedTuple):
    """A new entry."""

    dn: str
    attributes: Mapping[str, Tuple[str, ...]]


class Change(NamedTuple):
    """An attribute and all the values that it is to have; none: it goes."""

    attribute: str
    values: Tuple[str, ...]


class Modify(NamedTuple):
    """Changes to one entry, made together or not at all."""

    dn: str
    changes: Tuple[Change, ...]


class Delete(NamedTuple):
    """The end of an entry that has none below it."""

    dn: str


Operation = Union[Add, Modify, Delete]


class Refused(NamedTuple):
    """An operation that the server did not do, and why."""

    operation: Operation
    code: int
    """The result code of RFC 4511."""
    message: str


class Found(NamedTuple):
    """An entry as the server sent it: attributes and values in its order; what is no UTF-8 as surrogate escapes."""

    dn: str
    attributes: Mapping[str, Tuple[str, ...]]
