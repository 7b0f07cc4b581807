"""Faults of the configuration: what they concern stands still and is named, the rest runs on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator

import pytest

from tests.federation.box import Box
from tests.integration.faults import assert_truth, begin, change, failed, outgoing, recovers

OTHER = """
clouds:
  other:
    type: openstack
    auth: {{auth_url: "{auth_url}", username: accounting, user_domain_id: default, pasword_file: {secret}}}
"""


@pytest.fixture()
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path, broker=False) as running:
        begin(running)
        yield running


def test_a_disabled_cloud_lets_the_other_run(box: Box) -> None:
    part = box.etc / "conf.d" / "other.yaml"
    part.parent.mkdir()
    part.write_text(OTHER.format(auth_url=box.cloud.auth_url, secret=box.etc / "keystone.secret"))
    done = box.agent("accounting", "run", "--json")
    assert list(json.loads(done.stdout)["clouds"]) == ["main"]
    assert "the cloud 'other' is disabled" in done.stderr
    assert "pasword_file" in done.stderr
    assert str(part) in done.stderr
    assert_truth(box)
    failed(box.agent("accounting", "run", "--cloud", "other", check=False), 78, "other", "pasword_file")
    failed(box.agent("config", "check", check=False), 78)


def test_a_cloud_that_cannot_be_reached_does_not_keep_the_other_waiting(box: Box) -> None:
    text = (box.etc / "agent.yaml").read_text()
    begin_, end = text.index("  main:"), text.index("accounting:\n")
    away = text[begin_:end].replace("main:", "away:").replace(box.cloud.auth_url, "http://127.0.0.1:1/identity/v3")
    (box.etc / "agent.yaml").write_text(text[:end] + away + text[end:])
    failed(box.agent("accounting", "run", check=False), 69, "127.0.0.1:1", "Connection refused")
    assert_truth(box)


def test_a_fault_elsewhere_stops_everything_before_anything_happens(box: Box) -> None:
    change(box, first_run="backwards")
    failed(box.agent("accounting", "run", check=False), 78, "agent.yaml", "first_run", "backfill")
    assert not (box.state / "agent.db").exists()
    box.configure()
    recovers(box)


def test_without_a_first_choice_nothing_leaves(box: Box) -> None:
    box.configure(settings="resend: 4h")
    failed(
        box.agent("accounting", "run", check=False),
        78,
        "accounting.first_run",
        "continue",
        "backfill",
        "{baseline: DATE}",
    )
    assert list(outgoing(box).iterdir()) == []
    box.configure(settings="first_run: backfill")
    recovers(box)


def test_a_secret_that_is_gone_or_open(box: Box) -> None:
    secret = box.etc / "keystone.secret"
    secret.unlink()
    failed(box.agent("accounting", "run", check=False), 78, str(secret))
    secret.write_text("wrong-secret\n")
    secret.chmod(0o600)
    done = box.agent("accounting", "run", check=False)
    failed(done, 77, "refuses the login of accounting")
    assert "wrong-secret" not in done.stderr
    box.configure()
    recovers(box)
