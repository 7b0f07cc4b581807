"""Our host certificate in trouble: said before anything is sent, and the next plain run after its renewal is exact."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

from fedcloud_agent.clock import DAY
from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, change, failed, pass_time, recovers, truth
from tests.integration.faults import shown as usage_of


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Box(tmp_path_factory.mktemp("certificate")) as running:
        begin(running)
        running.agent("accounting", "run")
        assert_truth(running)
        yield running


def test_a_credential_that_cannot_serve(box: Box, tmp_path: Path) -> None:
    import time

    now = pass_time(box)
    shift = now - int(time.time())  # validity is counted from the real time, and the agent's is another
    name = "agent.example.org"

    def issued(file: str, begin: int, end: int) -> Dict[str, object]:
        made = box.authority.host(name, file=file, valid=(shift + begin, shift + end))
        return {"certificate": made.certificate, "key": made.key}

    readable = issued("readable", -DAY, 30 * DAY)
    Path(str(readable["key"])).chmod(0o644)
    cases: List[Tuple[Dict[str, object], int, Tuple[str, ...]]] = [
        (issued("expired", -30 * DAY, -DAY), 77, ("expired.cert.pem", "expired at", "install a new one")),
        (issued("young", DAY, 30 * DAY), 77, ("young.cert.pem", "is not valid before", "check the clock")),
        (issued("last-day", -30 * DAY, DAY - 60), 77, ("within 24 hours", "install a new one")),
        (
            {**issued("one", -DAY, 30 * DAY), "key": issued("two", -DAY, 30 * DAY)["key"]},
            78,
            ("two.key.pem does not belong to the certificate", "one.cert.pem", "install the two together"),
        ),
        (readable, 77, ("can be read by others (mode 0644)", "chmod o-rwx")),
        ({"certificate": tmp_path / "none.pem"}, 78, (f"the certificate {tmp_path}/none.pem cannot be read",)),
    ]
    box.agent("accounting", "extract")
    for values, code, words in cases:
        box.configure()
        change(box, **values)
        done = box.agent("accounting", "send", check=False)
        failed(done, code, *words)
        assert "PRIVATE KEY" not in done.stderr
    box.configure()
    recovers(box)


def test_a_dn_that_the_centre_does_not_know_shows_at_the_centre_only(box: Box) -> None:
    """The broker's receipt says nothing of the centre's list: only its operators and the portal can tell."""
    assert box.central is not None
    before = truth(box)
    pass_time(box)
    box.central.allow([])
    seen = messages_of(box)
    done = box.agent("accounting", "run")
    assert "1 message acknowledged" in done.stderr
    box.await_centre(seen + 1)
    with box.repository() as repository:
        (reject,) = repository.rejects()
        assert reject.reason is not None
        assert f"Signer not in valid DNs list: {box.host.dn}" in reject.reason
        assert usage_of(repository) == before
    box.central.allow([box.host.dn])
    recovers(box, refused=1)


def messages_of(box: Box) -> int:
    with box.repository() as repository:
        return len(repository.messages())
