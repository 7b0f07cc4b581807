"""keystoneauth1 logs in with each kind of credential and finds the services."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from tests.federation.openstack import OpenStackSimulator
from tests.integration.federation.openstack.conftest import OPS, SOMEONE, Client

keystoneauth1 = pytest.importorskip("keystoneauth1")

from keystoneauth1 import exceptions, session  # noqa: E402
from keystoneauth1.identity import v3  # noqa: E402

WHO = {"username": "someone", "password": "secret", "user_domain_id": "default"}
WHERE = {"project_name": "VO:ops", "project_domain_id": "default"}


def servers(auth: Any) -> Any:
    client = session.Session(auth=auth)
    answer = client.get("/servers", endpoint_filter={"service_type": "compute", "interface": "public"})
    return answer.json()["servers"]


def test_password_scoped_to_a_project(site: OpenStackSimulator) -> None:
    key = site.create_server("VO:ops", "someone", "small")
    assert [row["id"] for row in servers(v3.Password(site.auth_url, **WHO, **WHERE))] == [key]


def test_discovery_from_the_unversioned_root(site: OpenStackSimulator) -> None:
    from keystoneauth1.identity import generic

    auth = generic.Password(site.base_url + "/identity", **WHO, **WHERE)
    client = session.Session(auth=auth)
    assert client.get_endpoint(service_type="image") == site.image_url
    data = client.get_endpoint_data(service_type="compute", interface="public")
    assert (data.min_microversion, data.max_microversion) == ((2, 1), (2, 93))


def test_password_system_scope(site: OpenStackSimulator) -> None:
    site.grant("someone", "reader", "system")
    auth = v3.Password(site.auth_url, **WHO, system_scope="all")
    client = session.Session(auth=auth)
    assert client.get(site.auth_url + "/users").json()["users"]
    assert client.get(site.auth_url + "/projects").json()["projects"]


def test_unscoped_token_lists_its_projects_and_is_exchanged(site: OpenStackSimulator) -> None:
    auth = v3.Password(site.auth_url, **WHO, unscoped=True)
    client = session.Session(auth=auth)
    projects = client.get(site.auth_url + "/auth/projects").json()["projects"]
    assert [(row["id"], row["VO"]) for row in projects] == [(OPS, "ops")]
    scoped = v3.Token(site.auth_url, client.get_token(), project_id=OPS)
    assert scoped.get_access(session.Session()).project_id == OPS


def test_application_credential(site: OpenStackSimulator) -> None:
    made = site.create_application_credential("someone", "VO:ops", ["reader"], name="agent")
    by_id = v3.ApplicationCredential(
        site.auth_url, application_credential_id=made["id"], application_credential_secret=made["secret"]
    )
    assert by_id.get_access(session.Session()).project_id == OPS
    by_name = v3.ApplicationCredential(
        site.auth_url,
        application_credential_name="agent",
        application_credential_secret=made["secret"],
        username="someone",
        user_domain_id="default",
    )
    assert servers(by_name) == []
    site.delete_application_credential(made["id"])
    with pytest.raises(exceptions.Unauthorized):
        session.Session(auth=by_id).get(site.compute_url + "/servers")


def test_oidc_access_token(site: OpenStackSimulator) -> None:
    unique = "1234%40egi.eu"
    user = site.create_user("federated", federated=[["egi.eu", "openid", unique]], roles={"VO:ops": ["member"]})
    bearer = site.create_access_token(user, "egi.eu")
    fields: Dict[str, Any] = {"identity_provider": "egi.eu", "protocol": "openid", "project_id": OPS}
    auth = v3.OidcAccessToken(site.auth_url, access_token=bearer, **fields)
    access = auth.get_access(session.Session())
    assert (access.user_id, access.project_id) == (user, OPS)
    with pytest.raises(exceptions.Unauthorized):
        v3.OidcAccessToken(site.auth_url, access_token="forged", **fields).get_access(session.Session())


def test_wrong_logins_look_alike(site: OpenStackSimulator) -> None:
    for wrong in ({"password": "wrong"}, {"username": "nobody"}):
        with pytest.raises(exceptions.Unauthorized):
            v3.Password(site.auth_url, **{**WHO, **wrong}, **WHERE).get_access(session.Session())
    site.change_user("someone", enabled=False)
    with pytest.raises(exceptions.Unauthorized):
        v3.Password(site.auth_url, **WHO, **WHERE).get_access(session.Session())


def test_tokens_end_and_the_session_logs_in_again(site: OpenStackSimulator) -> None:
    auth = v3.Password(site.auth_url, **WHO, **WHERE)
    client = session.Session(auth=auth)
    client.get(site.compute_url + "/servers")
    site.expire_tokens()
    assert client.get(site.compute_url + "/servers").status_code == 200
    assert site.calls()["POST /identity/v3/auth/tokens"] == 2


def test_a_site_that_lives_in_another_month_needs_no_login_per_call(site: OpenStackSimulator) -> None:
    site.set_clock(1577836800)
    client = session.Session(auth=v3.Password(site.auth_url, **WHO, **WHERE))
    for _ in range(3):
        date = client.get(site.compute_url + "/servers").headers["Date"]
    assert date == "Wed, 01 Jan 2020 00:00:00 GMT"
    assert site.calls()["POST /identity/v3/auth/tokens"] == 1


def test_federated_identity_is_shown_for_one_user_only(site: OpenStackSimulator, client: Client) -> None:
    user = site.create_user("federated", federated=[["egi.eu", "openid", "1234%40egi.eu"]])
    headers = {"X-Auth-Token": client.admin()}
    one = client.call("GET", f"/identity/v3/users/{user}", headers).body["user"]
    entry = {"protocol_id": "openid", "unique_id": "1234%40egi.eu"}
    assert one["federated"] == [{"idp_id": "egi.eu", "protocols": [entry]}]
    query = "idp_id=egi.eu&protocol_id=openid&unique_id=1234%2540egi.eu"
    found = client.call("GET", f"/identity/v3/users?{query}", headers).body["users"]
    assert [(row["id"], "federated" in row) for row in found] == [(user, False)]
    site.delete_user(user)
    assert client.call("GET", f"/identity/v3/users/{user}", headers).status == 404
    mine = {"X-Auth-Token": client.login("someone", "secret", "VO:ops")}
    assert client.call("GET", f"/identity/v3/users/{SOMEONE}", mine).status == 200
    assert client.call("GET", f"/identity/v3/users/{user}", mine).status == 403


def test_projects_by_tag_and_property(site: OpenStackSimulator, client: Client) -> None:
    site.create_project("tagged", tags=["caso", "other"], **{"accounting:VO": "biomed"})
    headers = {"X-Auth-Token": client.admin()}
    found = client.call("GET", "/identity/v3/projects?tags=caso", headers).body["projects"]
    assert [(row["name"], row["accounting:VO"]) for row in found] == [("tagged", "biomed")]
    site.change_project("tagged", enabled=False, **{"accounting:VO": None})
    assert "accounting:VO" not in client.call("GET", "/identity/v3/projects?tags=caso", headers).body["projects"][0]


def test_https_with_a_throw_away_certificate(tmp_path: Path) -> None:
    import subprocess

    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, *subject],
        check=True,
        capture_output=True,
    )
    with OpenStackSimulator(tmp_path / "site", certificate=certificate, key=key) as site:
        site.create_user("someone", password="secret", roles={"admin": ["reader"]})
        auth = v3.Password(site.auth_url, **WHO, project_name="admin", project_domain_id="default")
        client = session.Session(auth=auth, verify=str(certificate))
        assert client.get(site.compute_url + "/servers").json() == {"servers": []}
