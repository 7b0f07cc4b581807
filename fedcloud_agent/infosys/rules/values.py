"""Rules about words: enumerations, URLs, positions, and what readers would take for their own marks."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterator, Tuple
from urllib.parse import urlsplit

from fedcloud_agent.infosys.entry import IN_ORDER, Entry
from fedcloud_agent.infosys.rules.schema import E as ENVIRONMENT
from fedcloud_agent.infosys.settings import OPERATING_SYSTEMS

_BOOLEAN = frozenset({"true", "false", "undefined"})
_QUALITY = frozenset({"development", "pre-production", "production", "testing"})
_CAPABILITIES = frozenset(
    {
        *("information.model", "information.discovery", "information.monitoring", "information.logging"),
        *("executionmanagement.dynamicvmdeploy", "executionmanagement.jobexecution", "security.accounting"),
        *("data.management.storage", "data.management.transfer", "data.access.flatfiles"),
    }
)
_LISTED: Dict[str, FrozenSet[str]] = {
    "GLUE2ContactType": frozenset({"general", "security", "sysadmin", "usersupport"}),
    "GLUE2AdminDomainDistributed": _BOOLEAN,
    "GLUE2ServiceType": frozenset({"bdii_site", "bdii_top"}),
    "GLUE2ServiceQualityLevel": _QUALITY,
    "GLUE2ServiceCapability": _CAPABILITIES,
    "GLUE2EndpointInterfaceName": frozenset({"bdii_site", "bdii_top"}),
    "GLUE2EndpointQualityLevel": _QUALITY,
    "GLUE2EndpointCapability": _CAPABILITIES,
    "GLUE2EndpointHealthState": frozenset({"ok", "warning", "critical", "unknown", "other"}),
    "GLUE2EndpointServingState": frozenset({"closed", "draining", "production", "queueing"}),
    "GLUE2EndpointTechnology": frozenset({"webservice", "corba", "jndi"}),
    f"{ENVIRONMENT}VirtualMachine": _BOOLEAN,
    f"{ENVIRONMENT}ConnectivityIn": _BOOLEAN,
    f"{ENVIRONMENT}ConnectivityOut": _BOOLEAN,
    f"{ENVIRONMENT}CPUMultiplicity": frozenset(
        f"{a}cpu-{b}core" for a in ("single", "multi") for b in ("single", "multi")
    ),
    "GLUE2StorageServiceCapacityType": frozenset(
        {"online", "installedonline", "nearline", "installednearline", "offline", "cache"}
    ),
}
_OWN_RULE: Dict[str, Tuple[str, FrozenSet[str]]] = {
    f"{ENVIRONMENT}Platform": (
        "W042",
        frozenset({"amd64", "i386", "i686", "itanium", "powerpc", "sparc", "x86_64"}),
    ),
    f"{ENVIRONMENT}OSFamily": ("W043", frozenset({"linux", "macosx", "solaris", "windows"})),
    f"{ENVIRONMENT}OSName": ("W044", frozenset(OPERATING_SYSTEMS)),
}
_WORDS: Dict[str, Tuple[str, FrozenSet[str]]] = {
    **{name: ("W037", known) for name, known in _LISTED.items()},
    **_OWN_RULE,
}
_URLS = ("GLUE2EndpointURL", "GLUE2DomainWWW", "GLUE2ServiceStatusInfo", "GLUE2EndpointSemantics")
_SCHEMES = frozenset({"http", "https", "ldap", "ldaps"})
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+\.?")
_MARKS = re.compile(r"dn:|o=glue", re.IGNORECASE)
_ESCAPED = re.compile(r"[\s\\\"+<>;]")
_BLANK = re.compile(r"[\s,]")


def is_url(value: str) -> bool:
    """Tell whether readers take a value for a URL: a known scheme, and a host with a dot in its name or in digits."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and _HOST.fullmatch(parts.hostname or "") is not None


def enumerations(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge words that come from a list."""
    for attribute in sorted(_WORDS.keys() & entry.attributes.keys()):
        rule, known = _WORDS[attribute]
        for value in entry.attributes[attribute]:
            if (value.lower() if known is _BOOLEAN else value) not in known:
                yield rule, f"{attribute} is {value!r}, which the profile does not know"


def urls(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge URLs. That of an endpoint is what it is for: one that nobody can use is an error of ours."""
    for attribute in _URLS:
        for value in entry.attributes.get(attribute, ()):
            if not is_url(value):
                yield "W037", f"{attribute} is {value[:80]!r}, which is no URL with a full host name"
                if attribute == "GLUE2EndpointURL":
                    yield "K010", f"{value[:80]!r} is no URL with a full host name"


def words(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge words of particular attributes."""
    for rule, attribute in (("W039", "GLUE2ServiceID"), ("W040", "GLUE2EndpointID")):
        if (entry.first(attribute) or "").startswith("_"):
            yield rule, f"{attribute} begins with an underscore"
    for attribute in ("GLUE2EndpointImplementationVersion", "GLUE2EndpointInterfaceVersion"):
        if "is not installed" in (entry.first(attribute) or ""):
            yield "W041", f"{attribute} is {entry.first(attribute)!r}"
    for rule, attribute in (("I019", "GLUE2EndpointIssuerCA"), ("I020", "GLUE2EndpointTrustedCA")):
        if "unknown" in (value.lower() for value in entry.attributes.get(attribute, ())):
            yield rule, f"{attribute} is 'unknown': rather leave it out"
    told = dict(one.partition("=")[::2] for one in entry.attributes.get("GLUE2EntityOtherInfo", ()))
    if told.get("ProfileName", "EGI") != "EGI":
        yield "W003", f"ProfileName is {told['ProfileName']!r}"
    if told.get("ProfileVersion") == "":
        yield "W004", "ProfileVersion is empty"


def position(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge where a site says that it is."""
    for rule, name, limit in (("E008", "Longitude", 180), ("E009", "Latitude", 90)):
        value = entry.first(f"GLUE2Location{name}")
        try:
            if value is not None and not -limit < float(value) < limit:
                yield rule, f"{name} is {value}"
        except ValueError:
            yield rule, f"{name} is {value!r}, no number"


def endpoint_lines(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge what those read who take endpoints by lines: one of each of three, in order, each one word."""
    found = [name for name in entry.attributes if name in IN_ORDER]
    if tuple(found) != IN_ORDER or any(len(entry.attributes[name]) != 1 for name in found):
        yield "K003", f"{', '.join(IN_ORDER)} are expected once each, in this order"
    for name in found:
        if any(_BLANK.search(value) for value in entry.attributes[name]):
            yield "K004", f"{name} holds a blank or a comma"


def marks(entry: Entry) -> Iterator[Tuple[str, str]]:
    """Judge what readers would take for the start of an entry or the end of a DN."""
    # nearly always there is nothing to be found, so that all is looked at together first
    if _MARKS.search("\n".join(["\n".join(values) for values in entry.attributes.values()])):
        for attribute, values in entry.attributes.items():
            for value in values:
                found = _MARKS.search(value)
                if found is not None:
                    yield "K004", f"{attribute} holds {found.group()!r}"
    body = entry.dn[: -len("o=glue")] if entry.dn.endswith("o=glue") else entry.dn
    if _MARKS.search(body) or _ESCAPED.search(entry.dn):
        yield "K004", "the DN needs escapes or holds what is taken for its end"
