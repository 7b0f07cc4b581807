"""The settings table, and what it costs to read it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.settings import Secret, Section, Setting, entries
from fedcloud_plugins.openstack.login import identity_url, login_plugin
from fedcloud_plugins.openstack.settings import AuthSettings, OpenStackSettings, VoSettings

URL = "https://keystone.example.org:5000"


@pytest.mark.parametrize("module", ["settings", "plugin"])
def test_reading_the_table_or_finding_the_facets_loads_no_library(module: str) -> None:
    code = (
        f"import sys, fedcloud_plugins.openstack.{module}\n"
        "print([m for m in ('requests', 'keystoneauth1', 'sqlalchemy', 'fedcloud_agent.http') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("table", [OpenStackSettings, AuthSettings, VoSettings])
def test_every_setting_has_a_help_and_its_default_can_be_written(table: Any) -> None:
    for key, entry in entries(table).items():
        assert entry.help.endswith("."), key
        if isinstance(entry, Setting) and entry.default is not None and not isinstance(entry.default, type):
            if repr(entry.default) == "REQUIRED":
                continue
            assert entry.kind.parse(entry.kind.write(entry.default)) == entry.default or entry.default == (), key
        if isinstance(entry, Setting) and entry.example is not None:
            entry.kind.parse(entry.example)
    assert isinstance(entries(OpenStackSettings)["auth"], Section)


def test_the_projects_of_a_vo() -> None:
    assert VoSettings(project="a", projects=("b", "c")).all == ("a", "b", "c")
    assert VoSettings().all == ()


def test_the_identity_url_ends_in_v3() -> None:
    for given in (URL, URL + "/", URL + "/v3", URL + "/v3/"):
        assert identity_url(given) == URL + "/v3"


@pytest.fixture()
def secret(tmp_path: Path) -> Secret:
    path = tmp_path / "secret"
    path.write_text("hush\n")
    path.chmod(0o600)
    return Secret(str(path))


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"auth_type": "password"}, "password_file"),
        ({"auth_type": "password", "password_file": True}, "username"),
        ({"auth_type": "application_credential"}, "application_credential_secret_file"),
        (
            {"auth_type": "application_credential", "application_credential_secret_file": True},
            "application_credential_id",
        ),
        ({"auth_type": "oidc_access_token"}, "access_token_file"),
        ({"auth_type": "oidc_access_token", "access_token_file": True}, "identity_provider"),
        ({"auth_type": "token"}, "access_token_file"),
    ],
)
def test_what_a_kind_of_login_lacks_is_named(secret: Secret, given: Any, missing: str) -> None:
    auth = AuthSettings(auth_url=URL, **{k: secret if v is True else v for k, v in given.items()})
    with pytest.raises(ConfigurationError, match=missing):
        login_plugin(auth, None)


def test_scopes(secret: Secret) -> None:
    base = {"auth_url": URL, "username": "u", "password_file": secret}
    assert login_plugin(AuthSettings(**base), None).unscoped is True
    assert login_plugin(AuthSettings(**base), "p1").project_id == "p1"
    assert login_plugin(AuthSettings(**base, system_scope=True), None).system_scope == "all"
    assert login_plugin(AuthSettings(**base, system_scope=True), "p1").system_scope is None
    named = login_plugin(AuthSettings(**base, project_name="p", user_domain_name="D"), None)
    assert (named.project_name, named.project_domain_name) == ("p", "D")
    plain = login_plugin(AuthSettings(**base, project_name="p"), None)
    assert plain.project_domain_id == "default"
