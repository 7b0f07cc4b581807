"""Who may import whom: the floors of the house, from the ground up. A violation is shown as its edge."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

WINGS = ("accounting", "infosys", "users", "images", "federation")
FLOORS: Dict[str, int] = {
    **dict.fromkeys(
        (
            "errors", "clock", "settings", "durable", "process", "locks", "log", "outcome", "plain", "http", "ldap",
            "store", "outbox", "pki",
        ),
        0,
    ),
    "config": 1,
    "site": 2,
    "clouds": 3,
    **dict.fromkeys(WINGS, 4),
    "recording": 4,
    "daemon": 5,
    "cli": 5,
}  # fmt: skip
PLUGIN_MAY = {name for name, floor in FLOORS.items() if floor == 0} | {"clouds", "site"}


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(name: str) -> str:
    """Return the room of a module of ours: the second part of its name."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def edges() -> List[Tuple[str, str, str]]:
    """Return (file, its room, room that it imports) for the agent's own imports."""
    found = []
    for path in sorted((ROOT / "fedcloud_agent").rglob("*.py")):
        relative = path.relative_to(ROOT / "fedcloud_agent")
        room = relative.parts[0].removesuffix(".py")
        for name in set(imports(path)):
            target = room_of(name)
            if name.startswith("fedcloud_agent.") and target in FLOORS and target != room:
                found.append((str(path.relative_to(ROOT)), room, target))
    return found


def test_every_room_has_a_floor() -> None:
    rooms = {path.name.replace(".py", "") for path in (ROOT / "fedcloud_agent").iterdir()}
    assert rooms - set(FLOORS) <= {"__init__", "__main__", "__pycache__", "py.typed"}


def test_a_floor_imports_only_from_floors_below() -> None:
    wrong = []
    for file, room, target in edges():
        if room in ("__init__", "__main__"):
            continue
        sideways_on_the_ground = FLOORS[room] == FLOORS[target] == 0
        sideways_on_top = {room, target} == {"cli", "daemon"}
        if not (FLOORS[target] < FLOORS[room] or sideways_on_the_ground or sideways_on_top):
            wrong.append(f"{file}: {room} (floor {FLOORS[room]}) imports {target} (floor {FLOORS[target]})")
    assert not wrong, "\n".join(wrong)


def test_nothing_imports_a_plugin_by_name() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "fedcloud_agent").rglob("*.py"))
        for name in imports(path)
        if name.split(".")[0] == "fedcloud_plugins"
    ]
    assert not wrong, "\n".join(wrong)


def test_plugins_import_the_contract_the_site_and_the_ground() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "plugins").rglob("*.py"))
        for name in imports(path)
        if name.startswith("fedcloud_agent.") and room_of(name) not in PLUGIN_MAY
    ]
    assert not wrong, "\n".join(wrong)


def test_the_check_itself_sees_an_import(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("def f():\n    from fedcloud_agent.cli import main\n    import fedcloud_agent.users.plan\n")
    assert {"fedcloud_agent.cli", "fedcloud_agent.users.plan"} <= set(imports(file))
    with pytest.raises(AssertionError, match="relative import"):
        file.write_text("from . import y\n")
        list(imports(file))
