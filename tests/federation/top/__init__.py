"""The Top-BDII of the federation in a box, as a server of its own, and readers that judge what a tree answers.

``TopBdii`` polls sites as the real ones do and holds what it found in a slapd that clients ask:

    with TopBdii(tmp_path, {"EXAMPLE-SITE": f"ldap://127.0.0.1:{port}/GLUE2DomainID=EXAMPLE-SITE,o=glue"}) as top:
        cycle = top.await_cycle()
        assert cycle.sources["EXAMPLE-SITE"].error is None
        top.entries("GLUE2DomainID=EXAMPLE-SITE,GLUE2GroupID=grid,o=glue")

``judge.Judge`` polls any tree as fast as it can, and judges every answer.
"""

from __future__ import annotations

from tests.federation.top.controller import TopBdii
from tests.federation.top.cycles import Cycle, Look

__all__ = ["Cycle", "Look", "TopBdii"]
