"""Templates as oned keeps them: attributes with a value, or with attributes of their own; sorted by name when shown."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

Pairs = List[Tuple[str, Any]]  # (NAME, text) or (NAME, Pairs)
Given = Union[str, Mapping[str, Any], Sequence[Sequence[Any]]]


class TemplateError(ValueError):
    """The text is no template."""


def parse(text: str) -> Pairs:
    """Return the attributes of a template, written in XML or as ``NAME = "value"`` and ``NAME = [ A = "b" ]``."""
    if text.lstrip().startswith("<"):
        try:
            return [_element(child) for child in ElementTree.fromstring(text)]
        except ElementTree.ParseError:
            raise TemplateError("XML Template malformed.") from None
    return _Plain(text).attributes()


def pairs(given: Given) -> Pairs:
    """Return a template from its text, or from a mapping (a list of values stands for an attribute many times)."""
    if isinstance(given, str):
        return parse(given)
    result: Pairs = []
    for name, value in given.items() if isinstance(given, Mapping) else [(row[0], row[1]) for row in given]:
        many = isinstance(given, Mapping) and isinstance(value, (list, tuple))
        for one in value if many else [value]:
            result.append((name, str(one) if isinstance(one, (str, int, float)) else pairs(one)))
    return result


def first(template: Pairs, name: str) -> Optional[str]:
    """Return the first plain value of an attribute."""
    return next((value for key, value in template if key == name and isinstance(value, str)), None)


def vectors(template: Pairs, name: str) -> List[Pairs]:
    """Return all attributes of a name that have attributes of their own."""
    return [value for key, value in template if key == name and not isinstance(value, str)]


def replaced(template: Pairs, name: str, value: str) -> Pairs:
    """Return the template with one plain attribute set."""
    return [pair for pair in template if pair[0] != name] + [(name, value)]


def merged(template: Pairs, other: Pairs) -> Pairs:
    """Return the template with the attributes of another, which win."""
    names = {name for name, _ in other}
    return [pair for pair in template if pair[0] not in names] + other


def render(template: Pairs, ordered: bool = True) -> str:
    """Return the XML of the attributes, sorted by name as oned's multimap has them."""
    rows = sorted(template, key=lambda pair: pair[0]) if ordered else template
    return "".join(
        f"<{name}>{cdata(value) if isinstance(value, str) else render(value, ordered)}</{name}>" for name, value in rows
    )


def cdata(value: str) -> str:
    """Return a value as oned writes it: nothing is escaped, and nothing needs to be."""
    return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _element(element: ElementTree.Element) -> Tuple[str, Any]:
    if len(element):
        return element.tag, [_element(child) for child in element]
    return element.tag, element.text or ""


class _Plain:
    """The text form: names, =, quoted or bare values, [ ... ] with commas, # to the end of a line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def attributes(self) -> Pairs:
        result: Pairs = []
        while self._skip() is not None:
            result.append(self._attribute())
        return result

    def _attribute(self) -> Tuple[str, Any]:
        start = self.at
        while self.at < len(self.text) and (self.text[self.at].isalnum() or self.text[self.at] in "_-./"):
            self.at += 1
        name = self.text[start : self.at].upper()
        if not name or self._skip() != "=":
            raise TemplateError(f"syntax error at position {start}")
        self.at += 1
        if self._skip() == "[":
            self.at += 1
            return name, self._vector()
        return name, self._value("")

    def _vector(self) -> Pairs:
        result: Pairs = []
        while self._skip() != "]":
            if self.at >= len(self.text):
                raise TemplateError("syntax error, unexpected end of file")
            result.append(self._attribute_inside())
            if self._skip() == ",":
                self.at += 1
        self.at += 1
        return result

    def _attribute_inside(self) -> Tuple[str, Any]:
        start = self.at
        while self.at < len(self.text) and (self.text[self.at].isalnum() or self.text[self.at] in "_-"):
            self.at += 1
        name = self.text[start : self.at].upper()
        if not name or self._skip() != "=":
            raise TemplateError(f"syntax error at position {start}")
        self.at += 1
        return name, self._value(",]")

    def _value(self, ends: str) -> str:
        if self._skip() == '"':
            self.at += 1
            out: List[str] = []
            while self.at < len(self.text) and self.text[self.at] != '"':
                if self.text[self.at] == "\\" and self.text[self.at + 1 : self.at + 2] in ('"', "\\"):
                    self.at += 1
                out.append(self.text[self.at])
                self.at += 1
            if self.at >= len(self.text):
                raise TemplateError("syntax error, unexpected end of file")
            self.at += 1
            return "".join(out)
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in "\n#" + ends:
            self.at += 1
        return self.text[start : self.at].strip()

    def _skip(self) -> Optional[str]:
        """Pass blanks and comments; return the character that comes then."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at].isspace():
                self.at += 1
            else:
                return self.text[self.at]
        return None
