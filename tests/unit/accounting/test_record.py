"""What leaves the site is taken by the repository as it was meant; what would not be, does not leave."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcloud_agent.accounting.measurement import Measurement
from fedcloud_agent.accounting.record import (
    Frame,
    Subject,
    fault,
    fields_of,
    harmless,
    keys_of,
    parse,
    render,
    with_keys,
)
from fedcloud_agent.clouds.contract import COMPLETED, STARTED
from tests.federation.central.repository import Repository

SUBJECT = Subject("vm-1", "worker", "u", "g", "/DC=org/CN=Jane", "vo.example.org", 1000, 2, 2048, 20, "img", None, None)
FRAME = Frame("EXAMPLE-SITE", "cloud.example.org", "fedcloud-agent/0.1 (Test)", "0.4", "bare", True, None, None)
ROW = Measurement(24312, 1769903999, None, STARTED, 100, 5, 200, "2", 3 * 10**9, None)


def load(content: str) -> Any:
    repository = Repository()
    loaded = repository.load("APEL-cloud-message: v0.4\n" + content + "%%\n")
    assert loaded.accepted and loaded.records == 1, loaded.reason
    return repository.records()[0]


texts = st.text(max_size=300)


@given(texts, texts, texts, texts, st.one_of(st.none(), texts), st.one_of(st.none(), texts))
def test_any_value_is_either_taken_as_one_record_or_set_aside(
    uuid: str, name: str, user: str, group: str, global_user: Any, image: Any
) -> None:
    subject = SUBJECT._replace(uuid=uuid, name=name, user=user, group=group, global_user=global_user, image=image)
    fields = fields_of(subject, ROW, FRAME)
    content = render(fields)
    content.encode("ascii")
    if fault(fields) is None:
        row = load(content)
        assert (row.wall, row.cpu, row.cpu_count, row.start) == (100, 200, 2.0, 1000)
        assert row.vmuuid == harmless(uuid)


@given(st.text())
def test_a_harmless_value_is_one_line_of_ascii_and_stays_as_it_is(value: str) -> None:
    once = harmless(value)
    assert once.isascii() and len(once.splitlines()) <= 1 and "%%" not in once and "pkcs7-mime" not in once.lower()
    assert harmless(once) == once


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("caf\u00e9 \u4e91", "cafe ?"),
        ("50%% off", "50%25%25 off"),
        ("a\x0bb\u2028c", "a b?c"),
        ("application/x-PKCS7-mime", "application/x-PKCS7_mime"),
    ],
)
def test_values_are_made_harmless(value: str, becomes: str) -> None:
    assert harmless(value) == becomes


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"uuid": "None"}, "VMUUID is missing"),
        ({"uuid": "x" * 256}, "VMUUID is 256 characters long"),
        ({"vo": "null"}, "FQAN is missing"),
        ({"image": "i" * 256}, "ImageId is 256"),
        ({"start": 0}, "StartTime is missing"),
        ({"start": 1769904000}, "measured before its start"),
        ({"memory": -1}, "Memory is -1"),
        ({"disk": 2**63}, "Disk is"),
        ({"public_ips": 2**31}, "PublicIPCount is"),
        ({"benchmark": 1.0, "benchmark_type": "b" * 51}, "BenchmarkType is 51"),
    ],
)
def test_what_the_repository_would_refuse_is_set_aside(changed: Any, reason: str) -> None:
    assert reason in str(fault(fields_of(SUBJECT._replace(**changed), ROW, FRAME)))


def test_a_negative_or_dateless_measurement_is_set_aside() -> None:
    assert "CpuCount is 0" in str(fault(fields_of(SUBJECT, ROW._replace(cpu_count="0"), FRAME)))
    assert "WallDuration is -1" in str(fault(fields_of(SUBJECT, ROW._replace(wall=-1), FRAME)))
    assert "completed without EndTime" in str(fault(fields_of(SUBJECT, ROW._replace(status=COMPLETED), FRAME)))
    assert fault(fields_of(SUBJECT, ROW, FRAME)) is None


def test_the_older_version_has_none_of_the_newer_fields() -> None:
    fields = fields_of(SUBJECT, ROW, FRAME._replace(version="0.2", benchmark_type="HEPscore23", benchmark=12.5))
    newer = {"RecordCreateTime", "CloudComputeService", "PublicIPCount", "BenchmarkType", "Benchmark"}
    assert not newer & set(fields)
    row = load(render(fields))
    assert row.measured == ROW.measured


def test_users_can_be_withheld_and_vos_written_as_fqans() -> None:
    fields = fields_of(SUBJECT, ROW, FRAME._replace(publish_users=False, fqan_style="voms"))
    assert fields["GlobalUserName"] == "withheld"
    row = load(render(fields))
    assert (row.vo, row.vo_group, row.vo_role) == ("vo.example.org", "/vo.example.org", "Role=NULL")


@pytest.mark.parametrize("version", ["0.4", "0.2"])
def test_a_late_end_goes_out_under_the_published_status_and_date(version: str) -> None:
    frame = FRAME._replace(version=version)
    published = keys_of(fields_of(SUBJECT, ROW, frame))
    end = 1769900000
    ended = fields_of(SUBJECT, ROW._replace(status=COMPLETED, end=end, measured=end, cpu_count="8"), frame)
    content = with_keys(render(ended), published, end)
    row = load(content)
    assert (row.status, row.cpu_count, row.end, row.measured) == (STARTED, 2.0, None, end)
    assert keys_of(parse(content)) == published


def test_a_month_published_as_completed_stays_so() -> None:
    ended = fields_of(SUBJECT, ROW._replace(status=COMPLETED, end=ROW.measured), FRAME)
    content = with_keys(render(fields_of(SUBJECT, ROW._replace(wall=150), FRAME)), keys_of(ended), ROW.measured)
    row = load(content)
    assert (row.status, row.end, row.wall) == (COMPLETED, ROW.measured, 150)
