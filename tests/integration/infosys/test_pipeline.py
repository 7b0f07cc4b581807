"""The query that the federation published for its users, word for word, against a tree as a Top-BDII holds it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Iterator, List

import pytest

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import Entry
from fedcloud_agent.infosys.sifting import sift
from tests.integration.infosys.slapd import SCHEMA, Directory, load, text_of
from tests.unit.infosys.world import NOW, OFFER, seen, site, with_first

pytestmark = pytest.mark.skipif(
    not (SCHEMA / "GLUE20.schema").exists(), reason="the packages slapd and glue-schema are not installed"
)

PIPELINE = r"""ldapsearch -x -H ldap://test03.egi.cesga.es:2170 -b o=glue '(objectClass=GLUE2Endpoint)' | perl -p00e 's/\r?\n //g' | grep -E 'GLUE2EndpointURL|GLUE2EndpointInterfaceName|GLUE2EndpointInterfaceVersion|dn\:' | awk '{printf("%s%s", $0, (NR%4 ? " === " : "\n"))}' | awk '{print ""$2" "$5" "$8" "$11}' | awk -F "GLUE2DomainID=" '{print $2}' | awk -F "," '{print $1 " "$3}' | awk '{print $1" "$4" "$3" "$5}' | sort"""  # noqa: E501

# the address is no longer there: everything but it stays as it was written
LDAPSEARCH = """#!/bin/bash
exec /usr/bin/ldapsearch "${@//ldap:\\/\\/test03.egi.cesga.es:2170/ldap:\\/\\/127.0.0.1:%d}"
"""


def top(entries: Iterator[Entry]) -> List[Entry]:
    """Return what a Top holds of a site: all below the domain, the first o=glue of each DN replaced, as text."""
    grid = "GLUE2GroupID=grid,o=glue"
    held = [
        Entry("o=glue", {"objectClass": ("organization",), "o": ("glue",)}),
        Entry(grid, {"objectClass": ("GLUE2Group",), "GLUE2GroupID": ("grid",)}),
    ]
    held += [
        Entry(entry.dn.replace("o=glue", grid, 1), entry.attributes)
        for entry in entries
        if entry.dn.endswith("GLUE2DomainID=EXAMPLE-SITE,o=glue")
    ]
    return held


def lines(directory: Path, entries: Iterator[Entry]) -> List[str]:
    done = load(directory, text_of(top(entries)))
    assert done.returncode == 0, done.stderr
    with Directory(directory) as server:
        programs = directory / "bin"
        programs.mkdir()
        (programs / "ldapsearch").write_text(LDAPSEARCH % server.port)
        (programs / "ldapsearch").chmod(0o755)
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"}
        answer = subprocess.run(
            ["/bin/bash", "-c", PIPELINE], env=environment, capture_output=True, text=True, timeout=60
        )
    assert answer.stderr == ""
    return answer.stdout.splitlines()


def test_the_query_gives_site_url_name_and_version(tmp_path: Path) -> None:
    assert lines(tmp_path, glue20.entries(site(), NOW)) == [
        "EXAMPLE-SITE https://cdmi.example.org:8080/ CDMI 1.0.1",
        "EXAMPLE-SITE https://ks.example.org:5000/v3 OpenStack v2.1",
        "EXAMPLE-SITE https://occi.example.org:8787/occi1.1 OCCI 1.1",
        "EXAMPLE-SITE https://swift.example.org:8080/ Swift v1",
        "EXAMPLE-SITE ldap://bdii.example.org:2170/ bdii_site 2.0",
    ]


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
    found = lines(tmp_path, glue20.entries(sift(site(hostile), NOW).site, NOW))
    assert len(found) == 4 and all(line.split(" ")[0] == "EXAMPLE-SITE" and line.count(" ") == 3 for line in found)
    assert "EXAMPLE-SITE https://occi.example.org:8787/occi1.1 OCCI 1.1" in found
    assert [line for line in found if line.endswith(" unknown")]
