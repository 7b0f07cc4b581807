"""What the distribution installed of slapd, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Optional, Tuple

from fedcloud_agent.errors import ConfigurationError

# Debian and its kin first, then Enterprise Linux with EPEL
_PROGRAMS = ("usr/sbin", "usr/libexec", "usr/lib/openldap")
_SCHEMAS = ("etc/ldap/schema", "etc/openldap/schema")
_MODULES = ("usr/lib/ldap", "usr/lib64/openldap", "usr/lib/openldap")
_BACKENDS = ("back_mdb", "back_monitor")
_INSTALL = "install the package slapd (Debian, Ubuntu) or openldap-servers (Enterprise Linux, from EPEL)"


@dataclass(frozen=True)
class Installation:
    """What a slapd of ours needs of the machine."""

    slapd: Path
    slapadd: Path
    core: Path
    glue: Path
    """The schema of GLUE 2.0, as the package glue-schema has it."""
    modules: Optional[Path]
    """Where the loadable parts lie; None where all is built in."""
    loaded: Tuple[str, ...]
    """Which of these parts have to be loaded; the others are built in."""


def find(slapd: Optional[Path] = None, glue: Optional[Path] = None, *, root: Path = Path("/")) -> Installation:
    """Return what is installed below ``root``; ``slapd`` and ``glue`` are what the site named itself.

    Raises ConfigurationError that names what is missing and the package that brings it.
    """
    program = slapd or _first((root / place / "slapd" for place in _PROGRAMS), "slapd", _INSTALL)
    if not program.is_file():
        raise ConfigurationError(f"infosys.slapd: there is no program {program}", hint=_INSTALL)
    loader = program.with_name("slapadd")
    if not loader.exists():
        raise ConfigurationError(f"there is no {loader} beside slapd", hint=_INSTALL)
    schemas = [root / place for place in _SCHEMAS]
    core = _first((place / "core.schema" for place in schemas), "core.schema", _INSTALL)
    if glue is None:
        hint = "install the package glue-schema, or name the file in infosys.schema"
        glue = _first((place / "GLUE20.schema" for place in schemas), "GLUE20.schema", hint)
    elif not glue.is_file():
        raise ConfigurationError(
            f"infosys.schema: there is no file {glue}", hint="it comes with the package glue-schema"
        )
    for place in _MODULES:
        loaded = tuple(
            name
            for name in _BACKENDS
            if (root / place / f"{name}.so").exists() or (root / place / f"{name}.la").exists()
        )
        if loaded:
            return Installation(program, loader, core, glue, root / place, loaded)
    return Installation(program, loader, core, glue, None, ())


def _first(places: Iterable[Path], name: str, hint: str) -> Path:
    tried = []
    for place in places:
        if place.is_file():
            return place
        tried.append(str(place))
    raise ConfigurationError(f"{name} is not installed: there is no {', no '.join(tried)}", hint=hint)
