"""slapd itself judges its configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.infosys.slapd import statistics
from fedcloud_agent.infosys.slapd.configuration import render
from fedcloud_agent.infosys.slapd.installation import find
from fedcloud_agent.infosys.slapd.side import Side

needs_slapd = pytest.mark.skipif(
    not Path("/etc/ldap/schema/GLUE20.schema").exists() or not Path("/usr/sbin/slaptest").exists(),
    reason="the packages slapd and glue-schema are not installed",
)


@needs_slapd
@pytest.mark.parametrize("name", ["a", "with blank", 'with "quotes"', "back\\slash", "#hash"])
def test_slapd_takes_it_whatever_the_directory_is_called(tmp_path: Path, name: str) -> None:
    side = Side(tmp_path / name)
    side.make()
    side.write(render(find(), side, 1234), statistics.schema())
    for place in (side.tree, side.statistics):
        assert place.stat().st_mode & 0o777 == 0o700
    done = subprocess.run(["slaptest", "-u", "-f", str(side.configuration)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "config file testing succeeded", "it has nothing to complain of"


def test_the_user_of_the_agent_and_nobody_like_it_writes(tmp_path: Path) -> None:
    (tmp_path / "etc/ldap/schema").mkdir(parents=True)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    for name in ("usr/sbin/slapd", "usr/sbin/slapadd", "etc/ldap/schema/core.schema", "etc/ldap/schema/GLUE20.schema"):
        (tmp_path / name).touch()
    text = render(find(root=tmp_path), Side(tmp_path / "a"), 12)
    assert '"^gidNumber=[0-9]+[+]uidNumber=12,cn=peercred,cn=external,cn=auth$"' in text, "12 is neither 112 nor 123"
    assert "rootpw" not in text and "modulepath" not in text


def test_a_side_knows_whether_it_was_loaded_by_the_same_configuration(tmp_path: Path) -> None:
    side = Side(tmp_path / "a")
    assert not side.is_loaded("one")
    side.make()
    side.write("one", "schema")
    assert not side.is_loaded("one"), "no database lies here"
    for place in (side.tree, side.statistics):
        (place / "data.mdb").touch()
    assert side.is_loaded("one") and not side.is_loaded("two")
    side.remove()
    assert not side.path.exists() and not side.is_loaded("one")
    side.remove()


def test_a_socket_has_a_short_name(tmp_path: Path) -> None:
    Side(Path("/var/lib/fedcloud-agent/infosys/a")).check()
    with pytest.raises(ConfigurationError, match="too long"):
        Side(Path("/") / ("x" * 103)).check()
    assert Side(Path("/a b/\u00e9")).ldapi == "ldapi://%2Fa%20b%2F%C3%A9%2Fldapi"


def test_the_figures_are_those_that_monitoring_knows() -> None:
    (root, figures) = (one.decode() for one in statistics.records("bdii.example.org"))
    assert root.startswith("dn: o=infosys\n")
    assert figures.startswith("dn: Hostname=bdii.example.org,o=infosys\nobjectClass: UpdateStats\n")
    assert len(statistics.COUNTS) == 13 and all(f"\n{name}: 0\n" in figures for name in statistics.COUNTS)
