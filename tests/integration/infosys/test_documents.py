"""The JSON documents on their way to a messaging service, and what stands in the way."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Iterator

import pytest

from tests.federation.ams import AmsSimulator
from tests.federation.authority import Authority, Credential
from tests.integration.infosys.published import Published, published


@pytest.fixture()
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture()
def host(authority: Authority) -> Credential:
    return authority.host("agent.example.org")


@pytest.fixture()
def ams(tmp_path: Path, authority: Authority, host: Credential) -> Iterator[AmsSimulator]:
    with AmsSimulator(tmp_path / "ams", authority, [host.dn]) as running:
        yield running


@pytest.fixture()
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    with published(monkeypatch) as one:
        yield one


def test_a_document_is_published_for_each_cloud_and_a_refusal_keeps_nothing_back(
    site: Published, ams: AmsSimulator, host: Credential
) -> None:
    place = {
        "type": "ams",
        "host": "localhost",
        "port": ams.port,
        "authn_port": ams.authn_port,
        "project": "accounting",
        "topic": "eu-egi-cloud-{cloud}",
        "certificate": str(host.certificate),
        "key": str(host.key),
        "ca_path": str(ams.authority.anchors),
    }
    # the simulated service has one topic
    site.serve.configure(documents={"appdb": {**place, "topic": "eu-egi-cloud-accounting"}})
    site.publish()
    (kept,) = ams.held()
    document = json.loads(base64.b64decode(kept.data))
    assert [one["ID"] for one in document["CloudComputingImage"]] == ["img-1", "img-2"]

    site.serve.configure(documents={"appdb": place})
    site.now += 60
    done = site.try_publishing()
    assert done.code == 77 and "eu-egi-cloud-main" in done.err
    assert site.type("diff").code == 0

    site.serve.configure(documents={"appdb": {**place, "topic": "SITE_{site}_ENDPOINT_{gocdb_id}"}})
    done = site.try_publishing()
    assert done.code == 78 and "infosys.clouds.main.gocdb_id" in done.err
    site.serve.configure(documents={"appdb": {**place, "topic": "of_{nobody}"}})
    assert site.try_publishing().code == 78
