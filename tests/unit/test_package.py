"""setup.cfg describes the whole package, and nothing else."""

from __future__ import annotations

import configparser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_is_listed() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    listed = parser["options"]["packages"].split()
    agent = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "fedcloud_agent").rglob("*.py")}
    plugins = {".".join(p.parent.relative_to(ROOT / "plugins").parts) for p in (ROOT / "plugins").rglob("*.py")}
    assert sorted(listed) == sorted(agent | plugins)


def test_the_version_is_said_once_more_and_the_same() -> None:
    import fedcloud_agent

    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    assert parser["metadata"]["version"] == fedcloud_agent.__version__
