"""What a server lacks of the tree that is kept, found by reading it all back."""

from __future__ import annotations

from typing import Iterable, List, Optional

from fedcloud_agent.infosys.differences import Step, altered, made
from fedcloud_agent.infosys.entry import tree_hash
from fedcloud_agent.infosys.kept import Changes, Kept
from fedcloud_agent.infosys.server import digests, read
from fedcloud_agent.ldap import Directory, Modify


def repair(directory: Directory, kept: Kept) -> Optional[Step]:
    """Return the step that makes the server's tree that which is kept; None when it is that already."""
    has = digests(directory)
    should = {dn: one.digest for dn, one in kept.held().items()}
    if tree_hash(has) == tree_hash(should):
        return None
    missing = [dn for dn in should if dn not in has]
    extra = tuple(dn for dn in has if dn not in should)
    differing = [dn for dn in should if dn in has and has[dn] != should[dn]]
    step = made(Changes(dropped=extra), kept.entries(missing), _altered(directory, kept, differing))
    # a slow reader would get names of what it does not have; one that gets the tree of a new server gets all of it
    return step._replace(reload=step.reload or bool(differing and (missing or extra)))


def _altered(directory: Directory, kept: Kept, dns: Iterable[str]) -> List[Modify]:
    dns = list(dns)
    ours = {one.dn: one for one in kept.entries(dns)}
    theirs = {dn: next(iter(read(directory, dn, scope="base"))) for dn in dns}
    return [altered(theirs[dn], ours[dn]) for dn in dns]
