"""A slapd over a tree of its own, with the schema of the distribution; root, who has a password, may write to it."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Tuple

from fedcloud_agent.infosys import ldif
from fedcloud_agent.infosys.entry import Entry
from tests.federation.controller import Controller

SCHEMA = Path("/etc/ldap/schema")
SUFFIX = "o=glue"
_CONFIGURATION = """\
include {schema}/core.schema
include {schema}/GLUE20.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
argsfile {directory}/slapd.args
sizelimit unlimited
timelimit 120
idletimeout 120
threads {threads}
gentlehup on
database mdb
suffix o=glue
rootdn {root}
rootpw {password}
directory {directory}/tree
maxsize 1073741824
rtxnsize 0
dbnosync
access to * by * read
index objectClass eq,pres
index GLUE2GroupID,GLUE2DomainID,GLUE2ServiceID,GLUE2EndpointID,GLUE2ShareID,GLUE2ManagerID eq
index GLUE2ResourceID,GLUE2PolicyID,GLUE2ApplicationEnvironmentID eq
index GLUE2EndpointInterfaceName,GLUE2PolicyRule eq
"""


class Directory(Controller):
    """slapd, empty unless :meth:`load` was called; what it holds stays over a restart."""

    name = "slapd"
    root = "cn=root,o=glue"

    def __init__(self, directory: Path, port: Optional[int] = None, *, threads: int = 8) -> None:
        super().__init__(directory, port)
        self.threads = threads
        self.password_file = directory / "password"

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"ldap://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write its configuration, unless it has one."""
        (self.directory / "tree").mkdir(exist_ok=True)
        if self._configuration.exists():
            return
        password = secrets.token_hex(16)
        for path, text in (
            (self.password_file, password),
            (
                self._configuration,
                _CONFIGURATION.format(
                    schema=SCHEMA, directory=self.directory, threads=self.threads, root=self.root, password=password
                ),
            ),
        ):
            path.touch(mode=0o600)
            path.write_text(text)

    def load(self, entries: Iterable[Entry]) -> Directory:
        """Replace everything while the server is down; to be started afterwards."""
        shutil.rmtree(self.directory / "tree", ignore_errors=True)
        self.prepare()
        done = subprocess.run(
            ["/usr/sbin/slapadd", "-q", "-o", "value-check=yes", "-f", str(self._configuration)],
            input="".join(map(ldif.record, entries)),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"slapadd: exit {done.returncode}\n{done.stderr[-3000:]}")
        return self

    def command(self) -> List[str]:
        """Return its command: on loopback, in the foreground. Its tables are as large as its limit of files."""
        slapd = ["/usr/sbin/slapd", "-f", str(self._configuration), "-h", f"{self.url}/", "-d", "0"]
        return ["prlimit", "--nofile=4096", *slapd]

    def let_go(self) -> None:
        """Close the door at once, serve those who are inside to the end, and end."""
        self._end(signal.SIGHUP, self.stop_seconds)

    @contextlib.contextmanager
    def root_connection(self) -> Iterator[Any]:
        """Return a connection of python-ldap that may write."""
        import ldap

        connection = ldap.initialize(self.url)
        connection.set_option(ldap.OPT_TIMEOUT, 60)
        connection.simple_bind_s(self.root, self.password_file.read_text())
        try:
            yield connection
        finally:
            connection.unbind_s()

    def add(self, *entries: Entry) -> None:
        """Add entries, parents first."""
        with self.root_connection() as connection:
            for entry in entries:
                connection.add_s(entry.dn, list(encoded(entry)))

    def replace(self, dn: str, **values: Iterable[str]) -> None:
        """Replace the values of attributes of an entry, in this order; no values: remove the attribute."""
        import ldap

        with self.root_connection() as connection:
            changes = [
                (ldap.MOD_REPLACE, name, [one.encode() for one in given] or None) for name, given in values.items()
            ]
            connection.modify_s(dn, changes)

    def delete(self, *dns: str) -> None:
        """Delete entries, children first."""
        with self.root_connection() as connection:
            for dn in dns:
                connection.delete_s(dn)

    def entries(self, base: str = SUFFIX, filter: str = "(objectClass=*)") -> List[Entry]:
        """Return what it answers."""
        return search(self.url, base, filter)

    @property
    def _configuration(self) -> Path:
        return self.directory / "slapd.conf"


def encoded(entry: Entry) -> Iterator[Tuple[str, List[bytes]]]:
    """Yield the attributes of an entry as python-ldap takes them."""
    for name, values in entry.attributes.items():
        yield name, [value.encode("utf-8") for value in values]


def search(url: str, base: str, filter: str = "(objectClass=*)") -> List[Entry]:
    """Return what a server answers to anyone. Raises what python-ldap raises."""
    import ldap

    connection = ldap.initialize(url)
    connection.set_option(ldap.OPT_TIMEOUT, 60)
    try:
        connection.simple_bind_s()
        return decoded(connection.search_s(base, ldap.SCOPE_SUBTREE, filter))
    finally:
        connection.unbind_s()


def decoded(answer: Iterable[Any]) -> List[Entry]:
    """Return what python-ldap gave as entries."""
    return [
        Entry(dn, {name: tuple(one.decode("utf-8") for one in values) for name, values in attributes.items()})
        for dn, attributes in answer
        if dn is not None
    ]
