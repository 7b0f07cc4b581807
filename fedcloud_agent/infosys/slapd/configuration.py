"""slapd.conf: who may do what, what is searched by, and the limits that a public server needs."""

from __future__ import annotations

from pathlib import Path
from typing import List

from fedcloud_agent.infosys.slapd.installation import Installation
from fedcloud_agent.infosys.slapd.side import Side
from fedcloud_agent.infosys.slapd.statistics import SUFFIX as STATISTICS

SUFFIX = "o=glue"
WRITER = "cn=agent,o=glue"
"""The name by which the agent's own user is known; it has no password, and no entry."""

_TREE_SIZE = 1 << 30
_STATISTICS_SIZE = 1 << 24
_BY_ID = (
    *("GLUE2GroupID", "GLUE2DomainID", "GLUE2ServiceID", "GLUE2EndpointID", "GLUE2ShareID", "GLUE2ManagerID"),
    *("GLUE2ResourceID", "GLUE2PolicyID", "GLUE2ApplicationEnvironmentID"),
)
_BY_WORD = ("GLUE2EndpointInterfaceName", "GLUE2PolicyRule")


def render(found: Installation, side: Side, uid: int) -> str:
    """Return the configuration of the slapd on a side, which obeys the user ``uid`` of this machine alone.

    An answer comes from one state of the tree, however long its reader takes (rtxnsize 0). What the kernel has not
    written yet is lost with the machine (dbnosync): then the tree is loaded anew before anybody is served.
    """
    lines = [f"include {_quoted(path)}" for path in (found.core, found.glue, side.schema)]
    if found.modules is not None:
        lines.append(f"modulepath {_quoted(found.modules)}")
        lines += [f"moduleload {name}" for name in found.loaded]
    lines += [
        f"pidfile {_quoted(side.pidfile)}",
        f"argsfile {_quoted(side.argsfile)}",
        "loglevel 0",
        "sizelimit unlimited",
        "timelimit 120",
        "idletimeout 120",
        "writetimeout 30",
        "threads 32",
        "gentlehup on",
        f'authz-regexp "^gidNumber=[0-9]+[+]uidNumber={uid},cn=peercred,cn=external,cn=auth$" "{WRITER}"',
    ]
    lines += _database(SUFFIX, side.tree, _TREE_SIZE)
    # entries of the tree tell themselves when they were made; to note it once more takes a tenth of each load
    lines += ["lastmod off"]
    lines += ["index objectClass eq", f"index {','.join(_BY_ID)} eq", f"index {','.join(_BY_WORD)} eq"]
    lines += _database(STATISTICS, side.statistics, _STATISTICS_SIZE)
    # it tells the addresses of clients, which are nobody else's business
    lines += ["database monitor", f'access to * by dn.exact="{WRITER}" read']
    return "\n".join(lines) + "\n"


def _database(suffix: str, path: Path, size: int) -> List[str]:
    return [
        "database mdb",
        f'suffix "{suffix}"',
        f'rootdn "{WRITER}"',
        f"directory {_quoted(path)}",
        f"maxsize {size}",
        "rtxnsize 0",
        "dbnosync",
        "access to * by * read",
    ]


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
