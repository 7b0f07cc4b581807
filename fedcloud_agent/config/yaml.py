"""From the bytes of one file to nodes: plain YAML with bounds, and nothing that surprises.

Only ``true`` and ``false`` are booleans, only decimal numbers without leading zeros are numbers, dates stay text
(YAML 1.2's core, less its rarer spellings): a site named NO keeps its name. Tags and merge keys are refused.
"""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Tuple

from yaml.composer import Composer, ComposerError
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, ScalarNode, SequenceNode
from yaml.nodes import Node as YamlNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from fedcloud_agent.config.faults import DUPLICATE, FILE, SYNTAX, Fault
from fedcloud_agent.config.nodes import Node, Origin, Path, Scalar

LARGEST = 256 * 1024
"""Bytes of one file: a parser in Python takes a few seconds for that."""
MOST_NODES = 50_000
"""Values of one file after aliases are expanded."""
DEEPEST = 24

_TAG = "tag:yaml.org,2002:"
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for YAML, so that our lines have the parser's numbers."""


class _Resolver(BaseResolver):
    pass


_WHOLE = "(?:0|[1-9][0-9]{0,17})"
for _kind, _pattern, _first in (
    ("null", "(?:~|null|)", ["~", "n", ""]),
    ("bool", "(?:true|false)", ["t", "f"]),
    ("int", rf"[-+]?{_WHOLE}", list("-+0123456789")),
    (
        "float",
        rf"[-+]?(?:{_WHOLE}(?:\.[0-9]{{0,20}})?|\.[0-9]{{1,20}})(?:[eE][-+]?[0-9]{{1,2}})?",
        list("-+.0123456789"),
    ),
):
    _Resolver.add_implicit_resolver(  # type: ignore[no-untyped-call,unused-ignore]
        f"{_TAG}{_kind}", re.compile(rf"^(?:{_pattern})\Z"), _first
    )


class _Loader(Reader, Scanner, Parser, Composer, _Resolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Resolver.__init__(self)
        self._depth = 0

    def compose_node(self, parent: Optional[YamlNode], index: int) -> Optional[YamlNode]:
        self._depth += 1
        if self._depth > DEEPEST:
            here = self.peek_event().start_mark  # type: ignore[no-untyped-call,unused-ignore]
            raise ComposerError(None, None, f"nested deeper than {DEEPEST} levels", here)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _RefusedError(Exception):
    def __init__(self, origin: Origin, reason: str) -> None:
        super().__init__(reason)
        self.origin, self.reason = origin, reason


def place(text: str, position: int) -> Tuple[int, int]:
    """Return line and column, from 1, of a position in a text."""
    before = text[:position]
    breaks = list(BREAK.finditer(before))
    return len(breaks) + 1, position - (breaks[-1].end() if breaks else 0) + 1


def parse(data: bytes, file: str) -> Tuple[Optional[Node], List[Fault]]:
    """Return the tree of one file and its faults; no tree when its syntax is broken. Never raises."""
    if len(data) > LARGEST:
        reason = f"the file is larger than {LARGEST // 1024} KiB; spread it over conf.d"
        return None, [Fault(FILE, Origin(file, 1, 1), (), reason)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        origin = Origin(file, *place(before, len(before)))
        return None, [Fault(FILE, origin, (), f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8")]
    try:
        composed = _Loader(text).get_single_node()
        if composed is None:
            return Node(Origin(file, 1, 1), mapping={}), []
        conversion = _Conversion(file)
        return conversion.node(composed, (), None, 0), conversion.faults
    except _RefusedError as error:
        return None, [Fault(SYNTAX, error.origin, (), error.reason)]
    except ReaderError as error:
        origin = Origin(file, *place(text, error.position))
        return None, [
            Fault(FILE, origin, (), f"a character that YAML does not allow: U+{ord(text[error.position]):04X}")
        ]
    except MarkedYAMLError as error:
        return None, [_syntax(error, text, file)]
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        # escapes such as "\UFFFFFFFF" and version numbers of many digits fail inside of the parser
        return None, [Fault(SYNTAX, Origin(file, 1, 1), (), f"not YAML: {error}")]


def _syntax(error: MarkedYAMLError, text: str, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = BREAK.split(text)
    here = lines[line - 1] if line <= len(lines) else ""
    if here[column - 1 : column] == "\t" or here[: column - 1].strip(" ").startswith("\t"):
        return Fault(SYNTAX, Origin(file, line, column), (), "a tab: YAML is indented with spaces only")
    reason = " ".join(part for part in (error.problem, error.context) if part)
    return Fault(SYNTAX, Origin(file, line, column), (), f"not YAML: {reason}")


class _Conversion:
    """One file's nodes; counts them, so that aliases of aliases end."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: List[Fault] = []
        self._count = 0

    def _origin(self, node: YamlNode) -> Origin:
        return Origin(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def node(self, node: YamlNode, path: Path, key: Optional[Origin], depth: int) -> Node:
        origin = self._origin(node)
        self._count += 1
        if depth > DEEPEST or self._count > MOST_NODES:
            raise _RefusedError(
                origin, f"more than {DEEPEST} levels or {MOST_NODES} values, counting what aliases repeat"
            )
        if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
            return Node(origin, mapping=self._mapping(node, path, depth), key=key)
        if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
            items = [
                self.node(item, (*path, str(number)), None, depth + 1) for number, item in enumerate(node.value, 1)
            ]
            return Node(origin, items=items, key=key)
        if isinstance(node, ScalarNode):
            return Node(origin, scalar=self._scalar(node, origin), key=key, written=node.value)
        raise _RefusedError(origin, f"the tag {node.tag} is not supported here")

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> Dict[str, Node]:
        mapping: Dict[str, Node] = {}
        for key, value in node.value:
            at = self._origin(key)
            if not isinstance(key, ScalarNode) or not key.value:
                raise _RefusedError(at, "a key has to be a word")
            self._scalar(key, at)
            name = str(key.value)
            if name == "<<" and key.style is None:
                raise _RefusedError(at, "merge keys (<<) are not supported; write the keys out")
            child = self.node(value, (*path, name), at, depth + 1)
            if name in mapping:
                first = mapping[name].at
                reason = f"the key is given twice, first in line {first.line}"
                self.faults.append(Fault(DUPLICATE, at, (*path, name), reason))
            else:
                mapping[name] = child
        return mapping

    def _scalar(self, node: ScalarNode, origin: Origin) -> Scalar:
        text = str(node.value)
        if any(0xD800 <= ord(c) < 0xE000 for c in text):
            raise _RefusedError(origin, "half of a surrogate pair is not a character")
        kind = node.tag[len(_TAG) :] if node.tag.startswith(_TAG) else node.tag
        try:
            if kind == "str":
                return text
            if kind == "null" and text in ("", "~", "null"):
                return None
            if kind == "bool" and text in ("true", "false"):
                return text == "true"
            if kind == "int":
                return int(text)
            if kind == "float":
                return float(text)
        except ValueError:
            pass
        raise _RefusedError(origin, f"the tag {node.tag} is not supported here")
