"""The files of former tools, as they stand on the hosts of sites."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import pytest

from fedcloud_agent.accounting.former import differences, formers, zone
from fedcloud_agent.accounting.traces import first_run_is_open, traces

CASO = """
[DEFAULT]
extractor = nova
site_name = EXAMPLE-SITE
service_name = cloud.example.org
projects = one
projects = two

[keystone_auth]
password = s3cr3t
[ssm]
output_path = /var/spool/apel/outgoing/openstack
"""

ONEACCT = """
defaults: &defaults
  output:
    output_dir: /var/spool/apel/outgoing/00000000
    output_type: apel-0.4
    num_of_vms_per_file: 500
    apel:
      site_name: EXAMPLE-SITE
      cloud_type: OpenNebula
      endpoint: https://occi.example.org:11443/
      # cloud_compute_service:
  xml_rpc:
    secret: oneadmin:s3cr3t
    endpoint: http://localhost:2633/RPC2
production:
  <<: *defaults
"""

EARLY_ONEACCT = """
production:
  site_name: EXAMPLE-SITE
  endpoint: https://occi.example.org/
  cloud_compute_service: occi.example.org
  secret: oneadmin:s3cr3t
"""

GOAT = """
identifier: goat
records-for-period: 2w
opennebula-endpoint: 127.0.0.1
opennebula-secret: oneadmin:s3cr3t
vm:
  site-name: EXAMPLE-SITE
  cloud-type: OpenNebula
  cloud-compute-service: one.example.org
"""


def put(root: Path, files: Dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_caso(tmp_path: Path) -> None:
    (found,) = formers(put(tmp_path, {"etc/caso/caso.conf": CASO, "etc/caso/voms.json": "{}"}))
    assert (found.tool, found.cloud_type, found.first_run, found.remarks) == ("cASO", "OpenStack", "continue", ())
    assert found.settings == {
        "site": "EXAMPLE-SITE",
        "clouds.NAME.service": "cloud.example.org",
        "clouds.NAME.voms_json": "/etc/caso/voms.json",
    }
    put(tmp_path, {"etc/caso/caso.conf": "[DEFAULT]\nsite_name = EXAMPLE-SITE\n"})
    assert formers(tmp_path)[0].settings["clouds.NAME.service"] == "EXAMPLE-SITE", "its own default"


@pytest.mark.parametrize(
    ("text", "endpoint", "service"),
    [
        (ONEACCT, "https://occi.example.org:11443/", None),
        (EARLY_ONEACCT, "https://occi.example.org/", "occi.example.org"),
    ],
)
def test_oneacct_export(tmp_path: Path, text: str, endpoint: str, service: str) -> None:
    put(tmp_path, {"etc/oneacct-export/conf.yml": text, "etc/timezone": "Europe/Prague\n"})
    (found,) = formers(tmp_path)
    assert (found.tool, found.cloud_type, found.first_run) == ("oneacct-export", "OpenNebula", "continue")
    assert found.settings == {
        "site": "EXAMPLE-SITE",
        "accounting.cpu_duration": "wall",
        "accounting.fqan_style": "voms",
        "clouds.NAME.uuid_style": "oneacct",
        "clouds.NAME.uuid_endpoint": endpoint,
        "clouds.NAME.uuid_zone": "Europe/Prague",
        **({"clouds.NAME.service": service} if service else {}),
    }
    assert bool(found.remarks) == (service is None)


def test_goat(tmp_path: Path) -> None:
    (found,) = formers(put(tmp_path, {"etc/goat-one/goat-one.yml": GOAT}))
    assert (found.tool, found.cloud_type, found.first_run) == ("goat", "OpenNebula", "baseline")
    assert found.settings["clouds.NAME.service"] == "one.example.org" and "s3cr3t" not in str(found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a: [", "it is not YAML"), ("- 1\n- 2\n", None), ("", None), ("production: {output: [1], endpoint: [x]}", None)],
)
def test_a_file_of_another_shape(tmp_path: Path, text: str, reason: str) -> None:
    (found,) = formers(put(tmp_path, {"etc/oneacct-export/conf.yml": text}))
    assert not found.settings.keys() & {"site", "clouds.NAME.uuid_endpoint"}
    assert (reason is not None) == any(reason and reason in remark for remark in found.remarks)
    (caso,) = formers(put(tmp_path / "other", {"etc/caso/caso.conf": "password = s3cr3t\nno section"}))
    assert "not as cASO has it" in caso.remarks[0] and "s3cr3t" not in caso.remarks[0]


def test_a_file_that_we_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"etc/oneacct-export/conf.yml": ONEACCT})

    def refuse(path: Path, mode: str = "r") -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    (found,) = formers(tmp_path)
    assert found.remarks == ("it cannot be read (Permission denied): look into it yourself",)


def test_the_zone_of_the_host(tmp_path: Path) -> None:
    assert zone(tmp_path) is None
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").symlink_to("../usr/share/zoneinfo/America/St_Johns")
    assert zone(tmp_path) == "America/St_Johns"


def test_what_is_otherwise(tmp_path: Path) -> None:
    (found,) = formers(put(tmp_path, {"etc/oneacct-export/conf.yml": ONEACCT, "etc/timezone": "Europe/Prague"}))
    same = {**found.settings, "clouds.NAME.uuid_endpoint": "https://OCCI.example.org:11443", "site": "example-site"}
    assert differences(found, {**same, "clouds.NAME.uuid_zone": "+01:00"}.get) == []
    told = differences(found, {**same, "clouds.NAME.uuid_style": "agent", "accounting.fqan_style": "bare"}.get)
    assert [(one.key, one.ours, one.theirs, one.names) for one in told] == [
        ("accounting.fqan_style", "bare", "voms", False),
        ("clouds.NAME.uuid_style", "agent", "oneacct", True),
    ]
    assert [one.ours for one in differences(found, {**same, "clouds.NAME.uuid_endpoint": None}.get)] == ["not set"]


def test_the_first_choice_is_explained_by_what_was_found(tmp_path: Path) -> None:
    assert traces(tmp_path) == []
    assert "No trace of a former accounting tool" in str(first_run_is_open("main", tmp_path).hint)
    put(tmp_path, {"etc/oneacct-export/conf.yml": ONEACCT, "etc/timezone": "Europe/Prague", "etc/osssmrc": ""})
    hint = str(first_run_is_open("main", tmp_path).hint)
    assert f"oneacct-export is configured here ({tmp_path}/etc/oneacct-export/conf.yml); osssm is" in hint
    for line in ("accounting.first_run: continue", "clouds.NAME.uuid_endpoint: https://occi.example.org:11443/"):
        assert f"    {line}\n" in hint
    assert "s3cr3t" not in hint
