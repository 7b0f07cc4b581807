"""What happens to machines: the records that each version of oned writes about it, and what is true."""

from __future__ import annotations

import pytest

from tests.integration.federation.opennebula.conftest import HOUR, NOVEMBER, Start

# Of each version: suspended after an hour, resumed two hours later with 5 seconds of boot, terminated 4 hours later.
SUSPENDED = {
    "5.4": ["0 +0 +3605 +0 +10 +10 +3605 0 0 10", "0 +10800 +14400 0 0 +10800 +14400 +14400 +14400 27"],
    "5.12": ["0 +0 +10805 +0 +10 +10 +10805 0 0 10", "0 +10800 +14400 0 0 +10800 +14400 +14400 +14400 27"],
    "6.10": ["0 +0 +10800 +0 +10 +10 +3605 0 0 10", "0 +10800 +14400 0 0 +10800 +14400 +14400 +14400 27"],
}


@pytest.mark.parametrize("profile", sorted(SUSPENDED))
def test_suspend_resume_terminate(start: Start, profile: str) -> None:
    client = start(profile)
    vm = client.oned.create_vm("alice", vcpu=2, prolog=10, boot=20)
    client.oned.act(vm, "suspend", at=NOVEMBER + HOUR, save=5)
    client.oned.act(vm, "resume", at=NOVEMBER + 3 * HOUR, boot=5)
    client.oned.act(vm, "terminate", at=NOVEMBER + 4 * HOUR)
    client.oned.advance(2 * HOUR)
    shown = client.call("vm.info", vm).xml
    assert (shown.findtext("STATE"), shown.findtext("LCM_STATE")) == ("5", "0")
    client.oned.advance(8 * HOUR)
    assert client.records(vm) == SUSPENDED[profile]
    life = client.oned.truth()[vm]
    assert life.seconds(0, 2 * NOVEMBER) == 3595 + 3600
    assert life.cpu_seconds(0, 2 * NOVEMBER) == 2 * (3595 + 3600)
    assert (life.created, life.ended) == (NOVEMBER, NOVEMBER + 4 * HOUR)
    assert life.blurred == (profile == "5.12")
