"""A throw-away slapd with the schema of the distribution, as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Iterable, List

from fedcloud_agent.infosys import ldif
from fedcloud_agent.infosys.entry import Entry
from tests.federation.controller import Controller

SCHEMA = Path("/etc/ldap/schema")
_CONFIGURATION = """\
include {schema}/core.schema
include {schema}/GLUE20.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
sizelimit unlimited
database mdb
suffix o=glue
rootdn cn=nobody,o=glue
directory {directory}/tree
maxsize 268435456
dbnosync
index objectClass eq,pres
index GLUE2GroupID,GLUE2DomainID,GLUE2ServiceID,GLUE2EndpointID,GLUE2ShareID,GLUE2ManagerID eq
index GLUE2ResourceID,GLUE2PolicyID,GLUE2ApplicationEnvironmentID eq
index GLUE2EndpointInterfaceName,GLUE2PolicyRule eq
access to * by * read
"""


def load(directory: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Load LDIF into a new database below ``directory``."""
    (directory / "tree").mkdir(parents=True)
    configuration = directory / "slapd.conf"
    configuration.write_text(_CONFIGURATION.format(schema=SCHEMA, directory=directory))
    # the quick way (-q) would take values of any kind
    return subprocess.run(
        ["/usr/sbin/slapadd", "-o", "value-check=yes", "-f", str(configuration)],
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def dumped(directory: Path) -> List[Entry]:
    """Return what a database holds, without what slapd adds of its own."""
    done = subprocess.run(
        ["/usr/sbin/slapcat", "-f", str(directory / "slapd.conf"), "-o", "ldif-wrap=no"],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    entries = ldif.parse(done.stdout.splitlines(keepends=True))
    return [
        Entry(one.dn, {name: values for name, values in one.attributes.items() if name.startswith(("GLUE2", "o"))})
        for one in entries
    ]


def text_of(entries: Iterable[Entry]) -> str:
    """Return entries as one LDIF text."""
    return "".join(map(ldif.record, entries))


class Directory(Controller):
    """slapd over a database that :func:`load` made."""

    name = "slapd"

    def command(self) -> List[str]:
        """Return its command: on loopback, in the foreground."""
        address = f"ldap://127.0.0.1:{self.port}"
        return ["/usr/sbin/slapd", "-f", str(self.directory / "slapd.conf"), "-h", address, "-d", "0"]
