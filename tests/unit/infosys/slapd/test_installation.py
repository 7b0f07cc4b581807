from __future__ import annotations

from pathlib import Path
from typing import Tuple

import pytest

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.infosys.slapd.installation import find

DEBIAN = (
    *("usr/sbin/slapd", "usr/sbin/slapadd", "etc/ldap/schema/core.schema", "etc/ldap/schema/GLUE20.schema"),
    "usr/lib/ldap/back_mdb.so",
)
ENTERPRISE_LINUX = (
    *("usr/sbin/slapd", "usr/sbin/slapadd", "etc/openldap/schema/core.schema", "etc/openldap/schema/GLUE20.schema"),
    *("usr/lib64/openldap/back_sql.la", "usr/lib64/openldap/ppolicy.la"),
)
MODULAR = (*ENTERPRISE_LINUX, "usr/lib64/openldap/back_mdb.la", "usr/lib64/openldap/back_monitor.la")


def installed(root: Path, files: Tuple[str, ...]) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("files", "modules", "loaded"),
    [
        (DEBIAN, "usr/lib/ldap", ("back_mdb",)),
        (ENTERPRISE_LINUX, None, ()),
        (MODULAR, "usr/lib64/openldap", ("back_mdb", "back_monitor")),
    ],
)
def test_what_a_distribution_installs_is_found(
    tmp_path: Path, files: Tuple[str, ...], modules: str, loaded: Tuple[str, ...]
) -> None:
    found = find(root=installed(tmp_path, files))
    assert [found.slapd, found.slapadd, found.core, found.glue] == [tmp_path / name for name in files[:4]]
    assert found.modules == (modules and tmp_path / modules) and found.loaded == loaded


@pytest.mark.parametrize(
    ("missing", "words", "hint"),
    [
        ("usr/sbin/slapd", "slapd is not installed", "openldap-servers"),
        ("usr/sbin/slapadd", "slapadd beside slapd", "openldap-servers"),
        ("etc/ldap/schema/core.schema", "core.schema is not installed", "package slapd"),
        ("etc/ldap/schema/GLUE20.schema", "GLUE20.schema is not installed", "glue-schema"),
    ],
)
def test_what_is_missing_is_named_with_its_package(tmp_path: Path, missing: str, words: str, hint: str) -> None:
    (installed(tmp_path, DEBIAN) / missing).unlink()
    with pytest.raises(ConfigurationError, match=words) as caught:
        find(root=tmp_path)
    assert hint in (caught.value.hint or "")


def test_what_the_site_names_itself_is_taken(tmp_path: Path) -> None:
    other = installed(tmp_path / "opt", ("slapd", "slapadd", "GLUE20.schema"))
    found = find(other / "slapd", other / "GLUE20.schema", root=installed(tmp_path, DEBIAN))
    assert (found.slapd, found.slapadd, found.glue) == (other / "slapd", other / "slapadd", other / "GLUE20.schema")
    for name in ("slapd", "GLUE20.schema"):
        (other / name).unlink()
        with pytest.raises(ConfigurationError, match=f"there is no .*{name}"):
            find(other / "slapd", other / "GLUE20.schema", root=tmp_path)
        (other / name).touch()
