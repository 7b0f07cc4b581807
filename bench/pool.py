"""The processor time in which VM elements are read out of answers of oned, each in a file.

``python -m bench.pool KIND FILE...`` prints seconds. Kinds: ``ours``; ``lxml`` reads the same bytes in two passes, the
envelope and then the document that is a string in it; ``ours-bare`` and ``lxml-bare`` read that document alone, taken
out of its envelope before. Elements are let go as they come, as in use; nothing is made of them.
"""

from __future__ import annotations

import io
import sys
import time
from typing import Callable, Dict, Iterator, List

from lxml import etree

from fedcloud_plugins.opennebula import streaming

_PIECE = 65536
"""Of an answer, as our HTTP client hands them on."""


def pieces(body: bytes) -> Iterator[bytes]:
    return (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))


def ours(body: bytes) -> int:
    return ours_bare(streaming.value_of(pieces(body), "the bench"))


def ours_bare(value: Iterator[bytes]) -> int:
    return sum(1 for _ in streaming.elements(value, "VM_POOL", "the bench"))


def lxml(body: bytes) -> int:
    (text,) = (element.text for _, element in etree.iterparse(io.BytesIO(body), tag="string", huge_tree=True))
    return lxml_bare(text.encode())


def lxml_bare(document: bytes) -> int:
    count = 0
    for _, element in etree.iterparse(io.BytesIO(document), tag="VM", huge_tree=True):
        count += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return count


def main(kind: str, *files: str) -> None:
    bodies: List[bytes] = []
    for file in files:
        with open(file, "rb") as stream:
            bodies.append(stream.read())
    if kind.endswith("-bare"):
        bodies = [b"".join(streaming.value_of(pieces(body), file)) for body, file in zip(bodies, files)]
    kinds: Dict[str, Callable[[bytes], int]] = {
        "ours": ours,
        "lxml": lxml,
        "ours-bare": lambda body: ours_bare(pieces(body)),
        "lxml-bare": lxml_bare,
    }
    began = time.process_time()
    found = sum(kinds[kind](body) for body in bodies)
    print(time.process_time() - began, found)


if __name__ == "__main__":
    main(*sys.argv[1:])
