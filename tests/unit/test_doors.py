"""One door to child processes, one to HTTP, one to LDAP; and no door at all to what can run words as a program."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "fedcloud_agent").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])

PROCESS = ("fedcloud_agent/process.py",)
HTTP = ("fedcloud_agent/http/",)
LDAP = ("fedcloud_agent/ldap/",)
ALLOWED: Dict[str, Tuple[str, ...]] = {
    "subprocess": PROCESS,
    "multiprocessing": (),
    "pty": (),
    "os.system": (),
    "os.popen": (),
    "os.exec": (),
    "os.spawn": (),
    "os.posix_spawn": (),
    "os.fork": (),
    "requests": HTTP,
    "urllib3": HTTP,
    "http.client": HTTP,
    "urllib.request": HTTP,
    "aiohttp": (),
    "ldap": LDAP,
    "ldap3": (),
    "keystoneauth1": ("plugins/fedcloud_plugins/openstack/",),
    "stomp": ("fedcloud_agent/outbox/",),
    "pickle": (),
    "marshal": (),
    "shelve": (),
}
FORBIDDEN_CALLS = ("eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "yaml.full_load")


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def uses(tree: ast.AST) -> Iterator[Tuple[int, str]]:
    """Yield the modules and attributes of ``os`` that a module uses, and the calls that nobody may make."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Attribute) and dotted(node).startswith("os."):
            yield node.lineno, dotted(node)
        elif isinstance(node, ast.Call):
            if dotted(node.func) in FORBIDDEN_CALLS:
                yield node.lineno, f"call of {dotted(node.func)}"
            if any(k.arg == "shell" and not (isinstance(k.value, ast.Constant) and not k.value.value)
                   for k in node.keywords):  # fmt: skip
                yield node.lineno, "call with a shell"


def breaches(path: str, source: str) -> List[str]:
    found = []
    for line, name in uses(ast.parse(source)):
        if name.startswith("call "):
            found.append(f"{path}:{line}: {name}")
        for door, rooms in ALLOWED.items():
            open_ended = door in ("os.exec", "os.spawn", "os.posix_spawn", "os.fork")
            if (name == door or name.startswith(door if open_ended else f"{door}.")) and not path.startswith(rooms):
                found.append(f"{path}:{line}: {name}")
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everyone_goes_through_the_doors(source: Path) -> None:
    assert not breaches(str(source.relative_to(ROOT)), source.read_text())


@pytest.mark.parametrize(
    "line",
    [
        "import subprocess",
        "from subprocess import run",
        "import os; os.system('true')",
        "from os import execvp",
        "import os; os.execv('/bin/true', ['true'])",
        "import pty",
        "def f():\n    import requests",
        "from http import client",
        "import http.client",
        "from urllib import request",
        "import urllib.request",
        "from keystoneauth1 import session",
        "def f():\n    import ldap",
        "from ldap import filter",
        "import ldap.modlist",
        "import stomp",
        "eval('1')",
        "import yaml; yaml.load('')",
        "run('ls', shell=True)",
        "run('ls', shell=flag)",
    ],
)
def test_the_scan_sees(line: str) -> None:
    assert breaches("fedcloud_agent/elsewhere.py", line)


def test_the_doors_are_open_to_those_who_keep_them() -> None:
    assert not breaches("fedcloud_agent/process.py", "import subprocess")
    assert not breaches("fedcloud_agent/http/client.py", "import requests, http.client")
    assert not breaches("fedcloud_agent/ldap/directory.py", "import ldap")
    assert not breaches("fedcloud_agent/infosys/any.py", "from fedcloud_agent.ldap import Directory")
    assert not breaches("plugins/fedcloud_plugins/openstack/session.py", "from keystoneauth1 import session")
    assert not breaches("fedcloud_agent/any.py", "import os; os.path.join('a'); from http import HTTPStatus")
