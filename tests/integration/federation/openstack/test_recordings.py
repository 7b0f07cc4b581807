"""The simulator answers like recorded answers of a real site, in the same situation: status, headers, bodies."""

from __future__ import annotations

import calendar
import json
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest

from tests.federation.openstack import OpenStackSimulator
from tests.integration.federation.openstack.conftest import Answer, Client

DATA = Path(__file__).resolve().parents[3] / "data" / "openstack"
PREFIX = {"15000": "/identity", "15002": "/compute", "15003": "/image"}
NAMES = sorted(path.stem for path in DATA.glob("*.json"))
PASSWORD = "pass"
# Values, not only types, are the same in these keys.
SAME = frozenset(
    "id name status tenant_id user_id metadata hostId image flavor created updated addresses locked key_name "
    "OS-SRV-USG:launched_at OS-SRV-USG:terminated_at OS-EXT-STS:vm_state OS-EXT-STS:task_state host_status "
    "OS-EXT-AZ:availability_zone OS-EXT-SRV-ATTR:host OS-EXT-SRV-ATTR:hostname progress code title methods "
    "domain_id enabled VO description email vcpus ram disk swap extra_specs is_public os-flavor-access:is_public "
    "visibility owner checksum os_hidden created_at tags first next action instance_uuid project_id href self "
    "min_version version".split()
)
# power_state is not among them: the driver of the recorded site says 1 for paused and suspended, libvirt 3 and 4.


def recording(name: str) -> Dict[str, Any]:
    document: Dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return document


def rows(name: str, key: str) -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = recording(name)["response"]["body"][key]
    return found


def instant(text: Optional[str]) -> int:
    assert text is not None
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The site that was recorded: the same projects, users, flavors, images and servers, with the same past."""
    with OpenStackSimulator(tmp_path_factory.mktemp("openstack")) as site:
        site.set_clock(instant("2026-11-22T14:57:16"))
        people(site)
        for flavor in rows("nova-flavors-all-2.61", "flavors"):
            access = [] if flavor["os-flavor-access:is_public"] else [project_id("VO:biomed")]
            site.create_flavor(
                flavor["name"],
                flavor["vcpus"],
                flavor["ram"],
                flavor["disk"],
                id=flavor["id"],
                ephemeral=flavor["OS-FLV-EXT-DATA:ephemeral"],
                is_public=flavor["os-flavor-access:is_public"],
                extra_specs=flavor["extra_specs"],
                access=access,
            )
        for image in rows("glance-images", "images"):
            dropped = "self file schema stores created_at updated_at virtual_size os_hash_algo".split()
            fields = {key: value for key, value in image.items() if key not in dropped}
            site.create_image(**fields, created=instant(image["created_at"]), updated=instant(image["updated_at"]))
        for host in rows("nova-hypervisors-detail", "hypervisors"):
            same = {key: host[key] for key in ("id", "vcpus", "cpu_info")}
            told = {"service_id": host["service"]["id"], "address": host["host_ip"]}
            site.create_hypervisor(host["hypervisor_hostname"], **same, **told)
        for row in [*rows("nova-servers-detail-all-2.66", "servers"), *rows("nova-servers-detail-deleted", "servers")]:
            server(site, row)
        yield Client(site)


def project_id(name: str) -> str:
    return next(str(row["id"]) for row in rows("keystone-projects", "projects") if row["name"] == name)


def people(site: OpenStackSimulator) -> None:
    site.delete_user(site.admin_name)
    site.delete_project(site.admin_project)
    plain = {"links", "options", "parent_id", "is_domain", "password_expires_at"}
    for row in rows("keystone-projects", "projects"):
        site.create_project(**{key: value for key, value in row.items() if key not in plain})
    for row in rows("keystone-users", "users"):
        site.create_user(password=PASSWORD, **{key: value for key, value in row.items() if key not in plain})
    for on in ("admin", "system"):
        site.grant("admin", "admin", on)
    site.grant("accounting", "admin", "accounting")
    for row in rows("keystone-auth-projects", "projects"):
        if row["name"] != "accounting":
            site.grant("accounting", "reader", row["name"])
    site.grant("vo_ops_user1", "member", "VO:ops")
    site.grant("vo_biomed_user1", "member", "VO:biomed")


LAST_ACT = {
    "SHUTOFF": "stop",
    "PAUSED": "pause",
    "SUSPENDED": "suspend",
    "SHELVED": "shelve",
    "SHELVED_OFFLOADED": "shelve_offload",
    "RESCUE": "rescue",
    "VERIFY_RESIZE": "resize",
    "ERROR": "error",
    "DELETED": "delete",
}


def server(site: OpenStackSimulator, row: Dict[str, Any]) -> None:
    created, updated = instant(row["created"]), instant(row["updated"])
    launched = row["OS-SRV-USG:launched_at"]
    relaunched = row["status"] in ("RESCUE", "VERIFY_RESIZE")
    ports = next(iter(row["addresses"].items()), ("private", []))
    fixed = [port["addr"] for port in ports[1] if port["OS-EXT-IPS:type"] == "fixed"]
    flavor = "m1.tiny" if row["status"] == "VERIFY_RESIZE" else row["flavor"]["original_name"]
    fields = {
        "id": row["id"],
        "name": row["name"],
        "metadata": row["metadata"],
        "created": created,
        "boot_seconds": 1 if launched is None or relaunched else instant(launched) - created,
        "state": "error" if launched is None else "active",
        "network": ports[0],
        "address": fixed[0] if fixed else None,
        "floating_ips": [port["addr"] for port in ports[1] if port["OS-EXT-IPS:type"] == "floating"],
        "host": "labhost",
        "volumes": [volume["id"] for volume in row["os-extended-volumes:volumes_attached"]],
        "image": row["image"]["id"] if row["image"] else None,
    }
    site.create_server(row["tenant_id"], row["user_id"], flavor, **fields)
    who = {"user": "admin", "project": "admin"}
    if launched is None:
        return
    if row["status"] == "SHELVED_OFFLOADED":
        site.act(row["id"], "shelve", at=updated - 8, **who)
    details = {"flavor": row["flavor"]["original_name"]} if row["status"] == "VERIFY_RESIZE" else {}
    if row["status"] in LAST_ACT:
        site.act(row["id"], LAST_ACT[row["status"]], at=updated, **who, **details)
    elif row["locked"]:
        site.act(row["id"], "lock", at=updated)


def token(lab: Client, name: str) -> str:
    if "reader" in name or name == "keystone-user-other-403":
        return lab.login("accounting", PASSWORD, "VO:ops")
    if "member" in name:
        return lab.login("vo_ops_user1", PASSWORD, "VO:ops")
    return lab.login("accounting", PASSWORD, "accounting")


def expired(lab: Client) -> str:
    lab.site.token_lifetime(0)
    lab.tokens.pop(("vo_ops_user1", None, False), None)
    old = lab.login("vo_ops_user1", PASSWORD)
    lab.site.token_lifetime(7200)
    return old


def replay(lab: Client, name: str) -> Answer:
    """Send the recorded request again."""
    request = recording(name)["request"]
    headers = {key: value for key, value in request["headers"].items() if key != "Content-Type"}
    for key in ("X-Auth-Token", "X-Subject-Token"):
        if headers.get(key) == "<TOKEN>":
            headers[key] = token(lab, name)
        elif headers.get(key) == "<EXPIRED-TOKEN>":
            headers[key] = expired(lab)
    body = request["body"]
    if name == "keystone-token-appcred":
        made = lab.site.create_application_credential("accounting", "VO:ops", ["reader"])
        body["auth"]["identity"]["application_credential"] = made
    elif body is not None:
        wrong = "wrong" if "wrong-password" in name else PASSWORD
        body = json.loads(json.dumps(body).replace("<PASSWORD>", wrong))
    base = PREFIX[request["base"].rpartition(":")[2]]
    target = base + request["path"] + ("?" + request["query"] if request["query"] else "")
    return lab.call(request["method"], target, headers, body)


def differences(recorded: Any, simulated: Any, where: str = "") -> List[str]:
    """Return where two bodies differ: in keys, types, the order of what has an id, and the values that are the same."""
    if isinstance(recorded, dict) and isinstance(simulated, dict):
        found = [f"{where}: only recorded: {key}" for key in recorded if key not in simulated]
        found += [f"{where}: only simulated: {key}" for key in simulated if key not in recorded]
        for key in recorded:
            if key in simulated:
                found += differences(recorded[key], simulated[key], f"{where}.{key}")
        return found
    if isinstance(recorded, list) and isinstance(simulated, list):
        if recorded and isinstance(recorded[0], dict) and "id" in recorded[0] and where.count(".") == 1:
            ours = {row["id"]: row for row in simulated}
            missing = [f"{where}: only recorded: {row['id']}" for row in recorded if row["id"] not in ours]
            order = [row["id"] for row in simulated if any(row["id"] == other["id"] for other in recorded)]
            if not missing and order != [row["id"] for row in recorded]:
                missing = [f"{where}: another order"]
            pairs = [(row, ours[row["id"]]) for row in recorded if row["id"] in ours]
        else:
            missing = [] if len(recorded) == len(simulated) else [f"{where}: {len(recorded)} != {len(simulated)}"]
            pairs = list(zip(recorded, simulated))
        return missing + [entry for one, other in pairs for entry in differences(one, other, where + "[]")]
    if type(recorded) is not type(simulated):
        return [f"{where}: {recorded!r} is not of the type of {simulated!r}"]
    if where.rpartition(".")[2] in SAME and "token" not in where and recorded != simulated:
        return [f"{where}: {recorded!r} != {simulated!r}"]
    return []


def expected(lab: Client, name: str) -> Any:
    """Return the recorded body with the addresses that the services have here."""
    text = json.dumps(recording(name)["response"]["body"])
    for port, prefix in PREFIX.items():
        text = text.replace(f"http://127.0.0.1:{port}", lab.site.base_url + prefix)
    return json.loads(text)


def header_names(names: List[str]) -> List[str]:
    """Return what can be compared: the lab spoke through other web servers, which close and date as they like."""
    return sorted(name.lower() for name in names if name.lower() not in ("connection", "date"))


SPECIAL = {"nova-servers-detail-building", "keystone-token-revoke"}


@pytest.mark.parametrize("name", [n for n in NAMES if n not in SPECIAL and not n.startswith("outage")])
def test_answers_like_the_recording(lab: Client, name: str) -> None:
    response = recording(name)["response"]
    answer = replay(lab, name)
    assert answer.status == response["status"], answer
    assert header_names([key for key, _ in answer.headers]) == header_names(response["headers"])
    assert differences(expected(lab, name), answer.body) == []


def test_lists_hold_as_many_rows_as_recorded(lab: Client) -> None:
    for name, key, count in (
        ("nova-servers-detail-all-2.66", "servers", 12),
        ("nova-servers-detail-deleted", "servers", 2),
        ("nova-servers-page-1", "servers", 2),
        ("nova-servers-status-filter", "servers", 2),
        ("nova-servers-changes-since-all-brief", "servers", 14),
        ("nova-servers-changes-since-reader", "servers", 6),
        ("glance-images", "images", 5),
    ):
        assert len(replay(lab, name).body[key]) == count, name


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("outage")])
def test_outage_looks_as_recorded(lab: Client, name: str) -> None:
    response = recording(name)["response"]
    lab.site.fault("status", status=response["status"])
    answer = replay(lab, name)
    assert answer.status == response["status"]
    assert header_names([key for key, _ in answer.headers]) == header_names(response["headers"])
    assert differences(expected(lab, name), answer.body) == []


def test_server_that_is_being_built(lab: Client) -> None:
    response = recording("nova-servers-detail-building")["response"]
    row = response["body"]["servers"][0]
    lab.site.advance(60)
    fields = {"id": row["id"], "name": row["name"], "created": instant(row["created"]), "state": "building"}
    flavor = row["flavor"]["original_name"]
    lab.site.create_server(row["tenant_id"], row["user_id"], flavor, image=row["image"]["id"], **fields)
    lab.site.act(row["id"], "task", at=instant(row["updated"]), task_state="scheduling")
    answer = replay(lab, "nova-servers-detail-building")
    assert differences(expected(lab, "nova-servers-detail-building"), answer.body) == []


def test_revoked_token_ends(lab: Client) -> None:
    mine = lab.login("vo_ops_user1", PASSWORD, "VO:ops")
    headers = {"X-Auth-Token": mine, "X-Subject-Token": mine}
    revoked = lab.call("DELETE", "/identity/v3/auth/tokens", headers)
    lab.tokens.clear()
    response = recording("keystone-token-revoke")["response"]
    assert (revoked.status, revoked.body) == (response["status"], None)
    assert header_names([key for key, _ in revoked.headers]) == header_names(response["headers"])
    assert lab.call("GET", "/identity/v3/auth/projects", headers).status == 401
