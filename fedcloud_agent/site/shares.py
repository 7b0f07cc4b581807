"""Which VO a project serves, as the federation's own files and names tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Iterator, Tuple

from fedcloud_agent.errors import ConfigurationError


def vo_of(fqan: str) -> str:
    """Return the VO of a FQAN (``/vo.example.org/Role=NULL``), or of a bare VO name, which is itself one.

    Raises ValueError when there is no VO in it.
    """
    text = fqan.partition(";")[0].strip()
    vo = text[1:].partition("/")[0] if text.startswith("/") else text
    if not vo or "/" in vo or any(c.isspace() or not c.isprintable() for c in vo):
        raise ValueError(f"{fqan!r} names no VO")
    return vo


def _named(entry: object) -> Iterator[str]:
    """Yield the projects of one entry: ``projects`` is a list of them, ``tenant`` (or ``project``) a single one."""
    if not isinstance(entry, dict):
        raise ValueError('expected an object such as {"projects": ["name"]}')
    several = entry.get("projects", [])
    if not isinstance(several, list):
        raise ValueError("'projects' is not a list")
    for name in [*several, *(entry[key] for key in ("tenant", "project") if key in entry)]:
        if not isinstance(name, str) or not name:
            raise ValueError(f"{name!r} is not the name of a project")
        yield name


def read_voms_json(path: Path) -> Dict[str, str]:
    """Return the VO of each project that a ``voms.json`` names, by the project's name or id as it stands there.

    The file maps a VO or FQAN to ``{"projects": [...]}`` (accounting) or to ``{"tenant": "..."}`` (keystone). Raises
    ConfigurationError when it cannot be read, has another form, or gives one project to two VOs.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} is not a JSON object of VOs")
    projects: Dict[str, str] = {}
    for key, entry in content.items():
        try:
            pairs: Tuple[Tuple[str, str], ...] = tuple((name, vo_of(key)) for name in _named(entry))
        except ValueError as error:
            raise ConfigurationError(f"{path}: {key!r}: {error}") from error
        for name, vo in pairs:
            if projects.setdefault(name, vo) != vo:
                raise ConfigurationError(
                    f"{path}: project {name!r} is given to {projects[name]!r} and to {vo!r}",
                    hint="a project's use is accounted to one VO",
                )
    return projects
