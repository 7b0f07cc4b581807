"""The figures of a round, written below ``o=infosys``: touched by every round, for monitoring goes by their age."""

from __future__ import annotations

import logging
from typing import Dict

from fedcloud_agent.errors import AgentError, UnreachableError
from fedcloud_agent.infosys.publication import Files, Published
from fedcloud_agent.infosys.server import answering
from fedcloud_agent.infosys.slapd.statistics import SUFFIX
from fedcloud_agent.ldap import Change, Directory, Modify

log = logging.getLogger(__name__)


def of_round(done: Published, collected: float) -> Dict[str, int]:
    """Return the attributes of UpdateStats for a round whose clouds took ``collected`` seconds to answer."""
    seconds = done.seconds
    return {
        "TotalEntries": done.entries,
        "NewEntries": done.added,
        "ModifiedEntries": done.modified + done.renewed,
        "DeletedEntries": done.deleted,
        "FailedAdds": 0,
        "FailedModifies": 0,
        "FailedDeletes": 0,
        "ProvidersTime": round(collected),
        "PluginsTime": 0,
        "QueryTime": round(seconds.get("verify", 0.0)),
        "ReadTime": round(seconds.get("decide", 0.0)),
        "DBUpdateTime": round(seconds.get("tell", 0.0)),
        "UpdateTime": round(collected + sum(seconds.get(name, 0.0) for name in ("decide", "write", "tell"))),
    }


def note(files: Files, done: Published, collected: float) -> None:
    """Write the figures of a round to the server. That it cannot be done is logged: the tree matters, not they."""
    changes = tuple(Change(name, (str(value),)) for name, value in of_round(done, collected).items())
    try:
        server = answering(files.serving)
        if server is None:
            raise UnreachableError("no server of ours answers")
        with Directory(server.ldapi, external=True) as directory:
            for found in directory.search(SUFFIX, scope="onelevel", attributes=["Hostname"]):
                for refused in directory.phase([Modify(found.dn, changes)]):
                    log.warning("the figures of %s were refused: %s", found.dn, refused.message)
    except AgentError as error:
        log.warning("the figures below %s cannot be written: %s", SUFFIX, error)
