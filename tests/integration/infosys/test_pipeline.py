"""The query that the federation published for its users, word for word, against a Top-BDII that polls the site."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Iterator, List

import pytest

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import IN_ORDER
from fedcloud_agent.infosys.gathering import gather
from fedcloud_agent.infosys.settings import ContactSettings, InfosysSettings, LocationSettings
from fedcloud_agent.infosys.sifting import sift
from tests.federation.top import TopBdii
from tests.federation.top.directory import SCHEMA, Directory
from tests.federation.top.judgement import below
from tests.federation.top.sources import GRID
from tests.unit.infosys.world import AGENT, NOW, OFFER, SITE, seen, site, with_first

pytestmark = pytest.mark.skipif(
    not (SCHEMA / "GLUE20.schema").exists(), reason="the packages slapd and glue-schema are not installed"
)

PIPELINE = r"""ldapsearch -x -H ldap://test03.egi.cesga.es:2170 -b o=glue '(objectClass=GLUE2Endpoint)' | perl -p00e 's/\r?\n //g' | grep -E 'GLUE2EndpointURL|GLUE2EndpointInterfaceName|GLUE2EndpointInterfaceVersion|dn\:' | awk '{printf("%s%s", $0, (NR%4 ? " === " : "\n"))}' | awk '{print ""$2" "$5" "$8" "$11}' | awk -F "GLUE2DomainID=" '{print $2}' | awk -F "," '{print $1 " "$3}' | awk '{print $1" "$4" "$3" "$5}' | sort"""  # noqa: E501

# the address is no longer there: everything but it stays as it was written
LDAPSEARCH = """#!/bin/bash
exec /usr/bin/ldapsearch "${@//ldap:\\/\\/test03.egi.cesga.es:2170/ldap:\\/\\/127.0.0.1:%d}"
"""


BASE = f"GLUE2DomainID={SITE},o=glue"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Directory]:
    with Directory(tmp_path / "site").load(glue20.entries(site(), NOW)) as running:
        yield running


def lines(top: TopBdii) -> List[str]:
    """Return what the query prints when it asks a Top."""
    programs = top.directory / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "ldapsearch").write_text(LDAPSEARCH % top.port)
    (programs / "ldapsearch").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"}
    answer = subprocess.run(["/bin/bash", "-c", PIPELINE], env=environment, capture_output=True, text=True, timeout=60)
    assert answer.stderr == ""
    return answer.stdout.splitlines()


EXPECTED = [
    "EXAMPLE-SITE https://cdmi.example.org:8080/ CDMI 1.0.1",
    "EXAMPLE-SITE https://ks.example.org:5000/v3 OpenStack v2.1",
    "EXAMPLE-SITE https://occi.example.org:8787/occi1.1 OCCI 1.1",
    "EXAMPLE-SITE https://swift.example.org:8080/ Swift v1",
    "EXAMPLE-SITE ldap://bdii.example.org:2170/ bdii_site 2.0",
]


@pytest.mark.parametrize(
    ("path", "images"),
    [(BASE, False), (BASE, True), (f"mds-vo-name={SITE},o=grid", False)],
)
def test_the_query_gives_site_url_name_and_version(source: Directory, tmp_path: Path, path: str, images: bool) -> None:
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{path}"}, images=images) as top:
        assert lines(top) == EXPECTED
        kinds = {kind for entry in top.entries() for kind in entry.classes}
    assert ("GLUE2ApplicationEnvironment" in kinds) is images


def test_hostile_words_do_not_shift_the_columns(tmp_path: Path) -> None:
    hostile = seen(
        storage=(),
        endpoints=with_first(
            OFFER.endpoints,
            url="https://ks.example.org:5000/v3,dn: x y?o=glue",
            version=None,
            interface="Open Stack, dn:",
            health_info="GLUE2EndpointURL: not here, GLUE2EndpointInterfaceName",
            implementation="GLUE2EndpointInterfaceVersion dn: o=glue",
            authentication=("GLUE2DomainID=X,dn:",),
        ),
    )
    entries = list(glue20.entries(sift(site(hostile), NOW).site, NOW))
    site_slapd = Directory(tmp_path / "site").load(entries)
    with site_slapd, TopBdii(tmp_path / "top", {SITE: f"{site_slapd.url}/{BASE}"}, images=True) as top:
        found = lines(top)
        assert top.cycles()[0].errors == []
        held = {entry.dn for entry in top.entries(f"GLUE2DomainID={SITE},{GRID}")}
    assert held == {entry.dn.replace("o=glue", GRID) for entry in entries if below(entry.dn, BASE)}
    assert len(found) == 4 and all(line.split(" ")[0] == SITE and line.count(" ") == 3 for line in found)
    assert "EXAMPLE-SITE https://occi.example.org:8787/occi1.1 OCCI 1.1" in found
    assert [line for line in found if line.endswith(" unknown")]


def test_a_new_version_stays_in_its_column(source: Directory, tmp_path: Path) -> None:
    """A Top replaces the attribute that changed and no other, which puts it at the end of what it answers."""
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}, interval=0.2) as top:
        (endpoint,) = source.entries(filter="(GLUE2EndpointInterfaceName=OpenStack)")
        three = {name: endpoint.attributes[name] for name in IN_ORDER}
        before = len(top.cycles())
        source.replace(endpoint.dn, **{**three, "GLUE2EndpointInterfaceVersion": ("v2.96",)})
        top.await_cycle()
        assert sum(cycle.modified for cycle in top.cycles()[before:]) == 1
        assert lines(top) == [line.replace("OpenStack v2.1", "OpenStack v2.96") for line in EXPECTED]


def test_two_sites_stand_side_by_side(source: Directory, tmp_path: Path) -> None:
    cloud = replace(seen(), host="ks.other.example.org")
    settings = InfosysSettings("support@other.example.org", ContactSettings(), LocationSettings())
    other = gather("OTHER", "bdii.other.example.org", settings, [cloud], NOW, agent=AGENT)
    second = Directory(tmp_path / "other").load(glue20.entries(other, NOW))
    sources = {SITE: f"{source.url}/{BASE}", "OTHER": f"{second.url}/mds-vo-name=OTHER,o=grid"}
    with second, TopBdii(tmp_path / "top", sources) as top:
        found = lines(top)
    assert [line for line in found if line.startswith(SITE)] == EXPECTED
    assert {line.split(" ")[0] for line in found} == {SITE, "OTHER"} and len(found) > len(EXPECTED)
