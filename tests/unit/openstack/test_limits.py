"""Limits and quotas that a real nova answered, and answers that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent.clouds.offer import UNLIMITED, Quota
from fedcloud_agent.errors import RemoteDataError
from fedcloud_plugins.openstack.limits import limit_of, limits, quota_set, used_of

DATA = Path(__file__).parents[2] / "data" / "openstack"
RECORDED = (Quota("instances", UNLIMITED, 5), Quota("cores", UNLIMITED, 4011), Quota("ram", UNLIMITED, 19968))


@pytest.mark.parametrize("name", ["nova-limits", "nova-limits-2.57"])
def test_the_recorded_ones(name: str) -> None:
    body = json.loads((DATA / f"{name}.json").read_bytes())["response"]["body"]
    assert limits(body, "cloud") == RECORDED


def one(limit: Any = 20, used: Any = 3) -> Any:
    return {"limit": limit, "in_use": used, "reserved": 0}


def test_a_quota_as_administrators_are_told() -> None:
    body = {"quota_set": {"id": "p", "cores": one(), "instances": one(-1, 0), "ram": one(51200, 8192)}}
    found = quota_set(body, "cloud")
    assert found == (Quota("instances", -1, 0), Quota("cores", 20, 3), Quota("ram", 51200, 8192))
    assert (limit_of(found, "cores"), limit_of(found, "instances"), limit_of(found, "disk")) == (20, None, None)
    assert (used_of(found, "cores"), used_of(found, "disk")) == (3, None)


@pytest.mark.parametrize("body", [None, [], 7, {}, {"quota_set": []}, {"quota_set": {"cores": 20}}, {"quota_set": 7}])
def test_what_is_no_quota(body: Any) -> None:
    with pytest.raises(RemoteDataError, match="cloud/quota answered no quota"):
        quota_set(body, "cloud/quota")


@pytest.mark.parametrize(("limit", "used"), [("20", 3), (-2, 3), (None, 3), (True, 3), (20, -1), (20, "3"), (20, None)])
def test_numbers_that_are_none(limit: Any, used: Any) -> None:
    with pytest.raises(RemoteDataError):
        quota_set({"quota_set": {"cores": one(limit, used), "instances": one(), "ram": one()}}, "cloud")


@pytest.mark.parametrize(
    "body",
    [None, [], 7, {}, {"limits": {}}, {"limits": {"absolute": {}}}, {"limits": {"absolute": []}}, {"limits": []}],
)
def test_what_are_no_limits(body: Any) -> None:
    with pytest.raises(RemoteDataError, match="cloud/limits answered no limits"):
        limits(body, "cloud/limits")
