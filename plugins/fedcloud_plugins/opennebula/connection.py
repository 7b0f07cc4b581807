"""One run's connection to oned: who we are there, which release it is, whether we see everything."""

from __future__ import annotations

import base64
import logging
from typing import Dict, Optional, Sequence

from fedcloud_agent.errors import AgentError, RefusedError
from fedcloud_agent.http import Bounds, Client
from fedcloud_plugins.opennebula.catalogue import Catalogue
from fedcloud_plugins.opennebula.dialect import OLDEST, Dialect, Version, dialect_of, version_of
from fedcloud_plugins.opennebula.login import CIPHERS, Login
from fedcloud_plugins.opennebula.machines import ALL, Machines
from fedcloud_plugins.opennebula.rights import Account, Rule, account_of, rule_of, rule_to_add, sees_all
from fedcloud_plugins.opennebula.settings import GRANTED, SERVER_CIPHER, OpenNebulaSettings, ProxySettings
from fedcloud_plugins.opennebula.windows import is_blinding
from fedcloud_plugins.opennebula.wire import Wire
from fedcloud_plugins.opennebula.xmlrpc import UNKNOWN_METHOD, FaultError, LoginRefusedError

log = logging.getLogger(__name__)

_GAPS_TRIED = 5


class Connection:
    """The cloud as this run sees it. Making one does not talk to the cloud. ``version``: where it must not be asked."""

    def __init__(self, name: str, settings: OpenNebulaSettings, version: Optional[Version] = None) -> None:
        self.name = name
        self.settings = settings
        proxy = settings.proxy or ProxySettings()
        bounds = Bounds(timeout=settings.timeout, deadline=max(600, 2 * settings.timeout), size=settings.largest_answer)
        certificate = (proxy.certificate, proxy.key) if proxy.certificate and proxy.key else None
        self.client = Client(bounds, cacert=settings.cacert, certificate=certificate)
        self.login = Login(settings.auth)
        self.wire = Wire(self.client, bounds, settings.endpoint, self.login, settings.deadline, _headers(proxy))
        self.catalogue = Catalogue(self.wire, settings)
        self._version = version
        self._dialect: Optional[Dialect] = None
        self._account: Optional[Account] = None
        self._rules: Optional[Sequence[Rule]] = None

    def close(self) -> None:
        """Give back the connections."""
        self.client.close()

    def begin(self) -> None:
        """Start what has a deadline, and ask anew who we are: rights are lost as silently as machines are left out."""
        self.wire.begin()
        self._account = None
        self._rules = None

    def dialect(self) -> Dialect:
        """Return how this oned is read, asking for its version once."""
        if self._dialect is None:
            self._dialect = dialect_of(self._version or self._ask_version())
            log.debug("%s: OpenNebula %s", self.name, self._dialect.name)
        return self._dialect

    def _ask_version(self) -> Version:
        refused: Optional[AgentError] = None
        for cipher in CIPHERS if self.settings.auth.auth_type == SERVER_CIPHER else CIPHERS[:1]:
            self.login.with_cipher(cipher)
            try:
                return version_of(self.wire.value("one.system.version"))
            except FaultError as error:
                if error.code != UNKNOWN_METHOD:
                    raise
                self.login.with_cipher(CIPHERS[-1])
                return OLDEST
            except LoginRefusedError as error:
                refused = error
        assert refused is not None
        raise refused

    def account(self) -> Account:
        """Return who oned takes us for."""
        if self._account is None:
            self.dialect()
            self._account = account_of(self.wire.document("USER", "one.user.info", -1))
        return self._account

    def machines(self) -> Machines:
        """Return the calls that bring machines."""
        return Machines(self.wire, self.dialect())

    def rules(self) -> Optional[Sequence[Rule]]:
        """Return the access rules, or None where this account may not read them and the site gave its word.

        Raises RefusedError where it may not, and nobody said that it sees everything.
        """
        if self._rules is None:
            account = self.account()
            try:
                self._rules = self.wire.read("ACL_POOL", "one.acl.info", take=rule_of)
            except LoginRefusedError:
                raise
            except RefusedError as error:
                if self.settings.rights == GRANTED:
                    return None
                raise RefusedError(
                    f"{self.settings.endpoint}: account {account.name} may not read the access rules, so nobody can "
                    "tell whether it sees every machine",
                    hint=f"{_way_out(account)}; once the rule is there, say so with rights: granted",
                ) from error
        return self._rules

    def check_rights(self) -> str:
        """Return why this account sees every machine. Raises RefusedError when it may not, or nobody can tell."""
        account = self.account()
        if account.is_administrator:
            return "all machines, as a member of group oneadmin"
        hint = _way_out(account)
        rules = self.rules()
        if rules is None:
            self._try_gaps(account, hint)
            return "all machines, by your word (rights: granted)"
        if sees_all(account, rules) or sees_all(account, rules, self.zone()):
            return "all machines, by an access rule"
        raise RefusedError(
            f"{self.settings.endpoint}: account {account.name} sees only some of the machines, and oned would leave "
            "out the others without a word; there is no access rule that lets it USE VM/*",
            hint=hint,
        )

    def zone(self) -> Optional[int]:
        """Return the number of oned's own zone, if it tells us."""
        try:
            text = self.wire.document("OPENNEBULA_CONFIGURATION", "one.system.config").findtext(
                "FEDERATION/ZONE_ID", ""
            )
        except LoginRefusedError:
            raise
        except AgentError as error:
            log.debug("%s: the zone is not known: %s", self.name, error)
            return None
        return int(text) if text.isascii() and text.isdigit() else None

    def _try_gaps(self, account: Account, hint: str) -> None:
        """Ask for machines that the newest ones leave room for: oned tells apart what is not there and not ours."""
        machines = self.machines()
        if not machines.dialect.offsets:
            return
        try:
            high = max((row.id for row in machines.rows_from(0)), default=0) + 1
            present = {row.id for row in machines.brief(max(0, high - 100), high, ALL)}
        except AgentError as error:
            if is_blinding(error):
                return
            raise
        gaps = [number for number in range(high, max(-1, high - 101), -1) if number not in present]
        for number in gaps[:_GAPS_TRIED]:
            try:
                machines.one(number)
            except LoginRefusedError:
                raise
            except RefusedError as error:
                raise RefusedError(
                    f"{self.settings.endpoint}: account {account.name} may not see machine {number}: the access rule "
                    "that 'rights: granted' speaks of is not there",
                    hint=hint,
                ) from error


def _way_out(account: Account) -> str:
    return f"{rule_to_add(account)}; or add the account to group oneadmin"


def _headers(proxy: ProxySettings) -> Dict[str, str]:
    if proxy.username is None or proxy.password_file is None:
        return {}
    pair = f"{proxy.username}:{proxy.password_file.read()}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
