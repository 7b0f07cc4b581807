"""Random lives, written down in each way that oned has, and looked at now and then: the union is the true one."""

from __future__ import annotations

from typing import List, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcloud_agent.accounting.life import Life, wall
from fedcloud_agent.clouds.contract import VirtualMachine
from fedcloud_plugins.opennebula.history import needs_history
from fedcloud_plugins.opennebula.row import Form
from tests.unit.opennebula.elements import START, machine
from tests.unit.opennebula.oned import DONE, EARLY, LATE, MIDDLE, MIGRATING, OFF, RUNNING, UNDEPLOYED, Machine

POSSIBLE = {
    (1, 0): ("run", "terminate"),
    RUNNING: ("poweroff", "poweroff", "undeploy", "attach", "migrate", "terminate"),
    MIGRATING: ("migrated",),
    OFF: ("run", "run", "undeploy", "attach", "attach", "move", "terminate"),
    UNDEPLOYED: ("run", "run", "terminate"),
    DONE: (),
}

Step = Tuple[int, int, int, bool, bool]


def act(life: Machine, at: int, choice: int, host: int) -> None:
    possible = POSSIBLE[life.state]
    if not possible:
        return
    name = possible[choice % len(possible)]
    if name in ("run", "move", "migrate"):
        getattr(life, name)(at, host)
    else:
        getattr(life, name)(at)


steps = st.lists(
    st.tuples(st.integers(0, 41), st.integers(0, 2), st.integers(2, 40), st.booleans(), st.booleans()),
    min_size=5,
    max_size=25,
)
enough = settings(max_examples=150)


class Watcher:
    """Looks at a machine as the plugin does, and remembers what the ledger would."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.known: Optional[VirtualMachine] = None
        self.full = 0
        self.published = 0

    def look(self, life: Machine, at: int) -> None:
        seen = life.shown(self.form)
        if needs_history(seen, self.known):
            self.full += 1
            seen = life.shown(Form.FULL)
        life.look(at)
        self.known = machine(seen, self.known, at)
        ran = self.wall(at)
        assert ran >= self.published
        self.published = ran

    def wall(self, at: int) -> int:
        assert self.known is not None
        if self.known.start is None:
            return 0
        return wall(Life(self.known.start, self.known.end, self.known.running, ((self.known.start, 1),)), START + at)

    def spans(self, at: int) -> List[Tuple[int, int]]:
        assert self.known is not None
        assert self.known.running is not None
        return [
            (begin - START, at if stop is None else stop - START)
            for begin, stop in self.known.running
            if begin - START < at
        ]


@pytest.mark.parametrize(
    ("behaviour", "form"), [(EARLY, Form.LAST), (EARLY, Form.SHORT), (MIDDLE, Form.LAST), (LATE, Form.LAST)]
)
@enough
@given(steps=steps)
def test_what_was_looked_at_now_and_then_is_the_union(behaviour: str, form: Form, steps: List[Step]) -> None:
    life, watcher, at = Machine(behaviour), Watcher(form), 0
    for choice, host, gap, looks, purges in steps:
        at += gap
        act(life, at, choice, host)
        if looks:
            at += 1
            watcher.look(life, at)
            assert watcher.spans(at) == life.claimed(at)
            if purges and form is not Form.SHORT:  # which tells no times to notice it by
                life.purge()
    at += 50
    watcher.look(life, at)
    assert watcher.spans(at) == life.claimed(at)
    if life.state == DONE:
        assert watcher.known is not None
        assert not needs_history(life.shown(form), watcher.known)


@pytest.mark.parametrize("behaviour", [EARLY, MIDDLE, LATE])
@given(steps=steps)
def test_whoever_looks_after_each_act_knows_all(behaviour: str, steps: List[Step]) -> None:
    life, watcher, at = Machine(behaviour), Watcher(Form.LAST), 0
    for choice, host, gap, _, _ in steps:
        at += gap
        act(life, at, choice, host)
        watcher.look(life, at)
    truth = Machine(EARLY, truth=life.truth).claimed(at)
    assert watcher.spans(at) == truth


@given(steps=steps, cut=st.integers(1, 24))
def test_purged_unseen_the_published_sum_does_not_fall(steps: List[Step], cut: int) -> None:
    life, watcher, at = Machine(LATE), Watcher(Form.LAST), 0
    for number, (choice, host, gap, looks, _) in enumerate(steps):
        at += gap
        act(life, at, choice, host)
        if number % cut == 0:
            life.purge()
        if looks:
            watcher.look(life, at + 1)
            at += 1


def test_an_idle_machine_is_never_read_in_full() -> None:
    life, watcher = Machine(LATE), Watcher(Form.LAST)
    life.run(5, 0)
    for at in range(10, 1000, 10):
        watcher.look(life, at)
    assert watcher.full == 0
    life.poweroff(1000)
    for at in range(1001, 1100, 10):
        watcher.look(life, at)
    assert watcher.full == 0
    life.terminate(1200)
    watcher.look(life, 1201)
    assert watcher.full == 0
    assert watcher.spans(1300) == [(5, 1000)]
