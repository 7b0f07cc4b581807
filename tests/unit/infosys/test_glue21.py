"""The JSON document: the classes, keys and spellings that the federation's catalogue reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Set

from fedcloud_agent.infosys import glue21
from fedcloud_agent.infosys.model import Downtime
from tests.unit.infosys.world import NOW, SEEN, site

EXPECTED = Path(__file__).parents[2] / "data" / "infosys" / "document.json"


def document(**changes: Any) -> Dict[str, List[Dict[str, Any]]]:
    made = site(replace(SEEN, **changes))
    decoded: Dict[str, List[Dict[str, Any]]] = json.loads(json.dumps(glue21.document(made, made.compute[0])))
    return decoded


def test_the_document_is_as_expected() -> None:
    assert document() == json.loads(EXPECTED.read_bytes())


def test_every_association_leads_to_an_item_of_the_document() -> None:
    made = document()
    ids: Dict[str, Set[str]] = {kind: {one["ID"] for one in items} for kind, items in made.items()}
    ids.update(AdminDomain={"EXAMPLE-SITE"}, PolicyUserDomain={"ops", "vo.example.org"})
    for items in made.values():
        for item in items:
            for kind, referred in item["Associations"].items():
                assert referred and set(referred) <= ids[kind], item["ID"]


def test_what_readers_of_today_reach_for_is_there() -> None:
    """Site, endpoint and GOCDB id; of each share VO, project, images by the cloud's id and types by name."""
    made = document()
    service, endpoint = made["CloudComputingService"][0], made["CloudComputingEndpoint"][0]
    assert service["OtherInfo"] == {"gocdb_id": "7513G0", "site_name": "EXAMPLE-SITE"}
    assert service["Associations"]["AdminDomain"] == ["EXAMPLE-SITE"]
    assert endpoint["URL"] == "https://ks.example.org:5000/v3" and endpoint["InterfaceName"] == "org.openstack.nova"
    found = {}
    for share in made["Share"]:
        (policy,) = (one for one in made["MappingPolicy"] if share["ID"] in one["Associations"]["Share"])
        (vo,) = policy["Associations"]["PolicyUserDomain"]
        assert policy["Rule"] == [f"VO:{vo}"]
        images, types = (
            [one[key] for one in made[kind] if share["ID"] in one["Associations"]["Share"]]
            for kind, key in (("CloudComputingImage", "ID"), ("CloudComputingInstanceType", "Name"))
        )
        found[vo] = (share["ProjectID"], images, types)
    assert found == {
        "ops": ("p-ops", ["img-1"], ["m1.small"]),
        "vo.example.org": ("p-vo", ["img-1", "img-2"], ["m1.small", "gpu.large"]),
    }
    assert made["CloudComputingImage"][0]["MarketplaceURL"] == "https://registry.example.org/vo/image/img-1/"


def test_a_downtime_is_told() -> None:
    told = document(downtimes=(Downtime(NOW - 1, NOW - 1, NOW + 3600, "new disks"),))["CloudComputingEndpoint"][0]
    assert told["ServingState"] == "closed"
    assert told["DowntimeInfo"] == "2026-11-22T13:59:59Z to 2026-11-22T15:00:00Z: new disks"


def test_what_the_cloud_did_not_tell_is_not_there() -> None:
    items = [item for items in document().values() for item in items]
    assert items and not any(value is None for item in items for value in item.values())
