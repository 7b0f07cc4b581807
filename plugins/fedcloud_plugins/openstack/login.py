"""Logging in to keystone: one token for each scope that is needed, had when it is first used and anew when it ends.

keystoneauth1 knows the kinds of login; what travels underneath it is our own HTTP client, with its bounds.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Dict, Mapping, NoReturn, Optional
from urllib.parse import urlsplit

from fedcloud_agent.errors import (
    AgentError,
    ConfigurationError,
    RefusedError,
    RemoteDataError,
    UnreachableError,
)
from fedcloud_agent.http import Client
from fedcloud_agent.settings import Secret
from fedcloud_plugins.openstack.settings import (
    APPLICATION_CREDENTIAL,
    OIDC_ACCESS_TOKEN,
    PASSWORD,
    AuthSettings,
)


def identity_url(auth_url: str) -> str:
    """Return the root of the identity API v3 that belongs to a configured login URL."""
    url = auth_url.rstrip("/")
    return url if url.endswith("/v3") else url + "/v3"


def _given(**values: Optional[str]) -> Dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _secret(secret: Optional[Secret], key: str, kind: str) -> str:
    if secret is None:
        raise ConfigurationError(f"auth.{key} is missing: auth_type {kind} needs it")
    return secret.read()


def _required(value: Optional[str], key: str, kind: str) -> str:
    if value is None:
        raise ConfigurationError(f"auth.{key} is missing: auth_type {kind} needs it")
    return value


def _scope(auth: AuthSettings, project: Optional[str]) -> Dict[str, str]:
    if project is not None:
        return {"project_id": project}
    if auth.system_scope:
        return {"system_scope": "all"}
    if auth.project_id is not None:
        return {"project_id": auth.project_id}
    if auth.project_name is None:
        return {}
    by_domain = _given(project_domain_id=auth.project_domain_id, project_domain_name=auth.project_domain_name)
    by_domain = by_domain or _given(project_domain_id=auth.user_domain_id, project_domain_name=auth.user_domain_name)
    return {"project_name": auth.project_name, **(by_domain or {"project_domain_id": "default"})}


def _account(auth: AuthSettings) -> Dict[str, str]:
    if auth.user_id is not None:
        return {"user_id": auth.user_id}
    name = _required(auth.username, "username", auth.auth_type)
    domain = _given(user_domain_id=auth.user_domain_id, user_domain_name=auth.user_domain_name)
    return {"username": name, **(domain or {"user_domain_id": "default"})}


def login_plugin(auth: AuthSettings, project: Optional[str]) -> Any:
    """Return the keystoneauth1 plugin for the configured login, scoped to ``project`` (an id) or as configured.

    Raises ConfigurationError when a setting of that kind of login is missing, and what reading a secret raises.
    """
    from keystoneauth1.identity import v3

    url, kind = identity_url(auth.auth_url), auth.auth_type
    if kind == PASSWORD:
        password = _secret(auth.password_file, "password_file", kind)
        scope = _scope(auth, project)
        return v3.Password(url, password=password, unscoped=not scope, **_account(auth), **scope)
    if kind == APPLICATION_CREDENTIAL:
        secret = _secret(auth.application_credential_secret_file, "application_credential_secret_file", kind)
        if auth.application_credential_id is not None:
            who = {"application_credential_id": auth.application_credential_id}
        else:
            name = _required(auth.application_credential_name, "application_credential_id", kind)
            who = {"application_credential_name": name, **_account(auth)}
        # such a credential belongs to one project: keystone refuses any scope beside it
        return v3.ApplicationCredential(url, application_credential_secret=secret, **who)
    token = _secret(auth.access_token_file, "access_token_file", kind)
    if kind == OIDC_ACCESS_TOKEN:
        provider = _required(auth.identity_provider, "identity_provider", kind)
        protocol = _required(auth.protocol, "protocol", kind)
        return v3.OidcAccessToken(url, provider, protocol, token, **_scope(auth, project))
    scope = _scope(auth, project)
    return v3.Token(url, token, unscoped=not scope, **scope)


@dataclass(frozen=True)
class Access:
    """What a login brought: the token and what keystone said with it."""

    token: str
    reference: Any
    """keystoneauth1's AccessInfo: user, project, catalogue."""
    until: float
    """On our monotonic clock: the two wall clocks need not agree."""


class Login:
    """One scope's token. Threads may share it: a token that was refused is replaced once, by the first who asks."""

    def __init__(self, client: Client, auth: AuthSettings, project: Optional[str] = None) -> None:
        self._client = client
        self._auth = auth
        self._project = project
        self._lock = threading.Lock()
        self._access: Optional[Access] = None

    def access(self) -> Access:
        """Return a token that should be valid for some minutes, logging in if there is none."""
        with self._lock:
            if self._access is None or time.monotonic() > self._access.until:
                self._access = self._log_in()
            return self._access

    def headers(self) -> Mapping[str, str]:
        """Return the header that carries the token."""
        return {"X-Auth-Token": self.access().token}

    def renew(self, used: Mapping[str, str]) -> None:
        """Forget the token in ``used``, unless another thread already has a new one."""
        with self._lock:
            if self._access is not None and self._access.token == used.get("X-Auth-Token"):
                self._access = None

    @property
    def project(self) -> Optional[str]:
        """The id of the project that the token is for, or None for an unscoped or system-wide one."""
        return self._project or self.access().reference.project_id

    def is_administrators(self) -> bool:
        """Tell whether the token has the role admin: services show its holder what its project would not see."""
        try:
            return "admin" in self.access().reference.role_names
        except (KeyError, TypeError) as error:
            raise RemoteDataError(f"{identity_url(self._auth.auth_url)} names roles that cannot be read") from error

    def endpoint(self, service: str, region: Optional[str], interface: str) -> Optional[str]:
        """Return the address of a service in the catalogue, or None when it has none.

        Raises ConfigurationError when several regions have one and none is configured, RemoteDataError when the
        address is no URL.
        """
        found = {}
        for described in self.access().reference.service_catalog.catalog:
            for entry in described.get("endpoints", ()) if described.get("type") == service else ():
                if entry.get("interface") == interface and region in (None, entry.get("region_id")):
                    found[entry.get("region_id")] = entry.get("url")
        if not found:
            return None
        if len(found) > 1:
            raise ConfigurationError(
                f"{identity_url(self._auth.auth_url)} knows the service {service} in several regions: "
                + ", ".join(sorted(str(name) for name in found)),
                hint="choose one with 'region'",
            )
        url = str(next(iter(found.values())))
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise RemoteDataError(f"the catalogue's address of {service} is no URL: {url!r:.200}")
        return url.rstrip("/")

    def _log_in(self) -> Access:
        from keystoneauth1 import session

        plugin = login_plugin(self._auth, self._project)
        http = session.Session(
            session=self._client.session,
            verify=self._client.session.verify,
            redirect=False,
            user_agent=str(self._client.session.headers["User-Agent"]),
        )
        try:
            reference = plugin.get_access(http)
            # what keystone left out of a token shows only when it is asked for
            validity = (reference.expires - reference.issued).total_seconds()
            token = str(reference.auth_token or "")
        except AgentError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever an odd answer makes keystoneauth1 stumble over
            _raise_for(error, self._auth, self._project)
        if not token:
            raise RemoteDataError(f"{identity_url(self._auth.auth_url)} logged us in without a token")
        return Access(token, reference, time.monotonic() + max(validity - 300, validity / 2))


def _raise_for(error: Exception, auth: AuthSettings, project: Optional[str]) -> NoReturn:
    """Say a failed login in our own words; keystoneauth1's would repeat a whole answer."""
    from keystoneauth1 import exceptions

    where = identity_url(auth.auth_url)
    whom = f"{auth.username or auth.user_id or auth.auth_type}" + (f", project {project}" if project else "")
    if isinstance(error, (exceptions.Unauthorized, exceptions.Forbidden)):
        raise RefusedError(
            f"{where} refuses the login of {whom}",
            hint="wrong secret, unknown or disabled account, or no role on the project: keystone does not say which",
        ) from error
    if isinstance(error, (exceptions.HttpServerError, exceptions.ConnectFailure)):
        raise UnreachableError(f"{where} cannot log in {whom} now: {str(error)[:200]}") from error
    if isinstance(error, exceptions.NotFound):
        raise RemoteDataError(
            f"{where} is no identity service of version 3", hint="auth_url is usually https://HOST:5000/v3"
        ) from error
    raise RemoteDataError(
        f"{where} answered the login of {whom} with something that cannot be used: "
        f"{type(error).__name__}: {str(error)[:200]}"
    ) from error
