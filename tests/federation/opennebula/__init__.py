"""A simulated oned: XML-RPC over HTTP in the dialect of a version, with machines whose past tests can dictate.

``OnedSimulator(directory, profile="6.10")`` starts it (profiles: the keys of ``PROFILES``); ``Life`` is the truth about
one machine, against which an accounting is checked:

    with OnedSimulator(tmp_path, "5.12") as oned:
        oned.set_clock(instant)
        oned.create_group("vo.example.org")
        oned.create_user("alice", groups=["vo.example.org"])
        vm = oned.create_vm("alice", vcpu=2)
        oned.act(vm, "suspend", at=instant + 3600)
        oned.advance(86400)
        xmlrpc.client.ServerProxy(oned.url).one.vm.info(oned.session, vm)
        oned.truth()[vm].seconds(start, end)
"""

from __future__ import annotations

from tests.federation.opennebula.controller import OnedSimulator
from tests.federation.opennebula.history import Life, Run, Since
from tests.federation.opennebula.profiles import PROFILES

__all__ = ["PROFILES", "Life", "OnedSimulator", "Run", "Since"]
