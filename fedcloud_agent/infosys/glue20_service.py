"""What services of every kind are made of in GLUE 2.0: the service, its endpoints, who may use them."""

from __future__ import annotations

from typing import NamedTuple, Sequence
from urllib.parse import quote, urlsplit, urlunsplit

from fedcloud_agent.infosys.entry import Builder, Entry
from fedcloud_agent.infosys.identifiers import identifier
from fedcloud_agent.infosys.model import SiteEndpoint
from fedcloud_agent.infosys.naming import interface_name, service_type
from fedcloud_agent.infosys.settings import InfosysSettings
from fedcloud_agent.infosys.words import moment, text, word

SCHEME = "org.glite.standard"
_MONITORING = "https://argo.egi.eu/egi/report-status/Critical/SITES/"


class Frame(NamedTuple):
    """What every service of a site is made with: whose it is, and the DN below which it hangs."""

    site: str
    settings: InfosysSettings
    above: str


def status_page(site: str, settings: InfosysSettings) -> str:
    """Return the URL at which people see how the site fares."""
    return settings.status_info or f"{_MONITORING}{quote(site)}"


def safe_url(url: str) -> str:
    """Return a URL that is one word of ASCII; what is none at all stays wrong, for the rules to find."""
    try:
        parts = urlsplit(url.strip())
        path, query = quote(parts.path, safe="/%:@;=+~!$&'()*"), quote(parts.query, safe="/%:@;=+~!$&'()*?")
        return word(urlunsplit((parts.scheme, parts.netloc, path, query, ""))) or ""
    except ValueError:
        return word(url) or ""


def dated(made: Builder, instant: int, frame: Frame) -> Builder:
    """Add since when an entry holds, and for how long."""
    made.add("GLUE2EntityCreationTime", moment(instant))
    return made.add("GLUE2EntityValidity", frame.settings.validity)


def service_entry(
    id_: str, type_: str, classes: Sequence[str], capabilities: Sequence[str], instant: int, frame: Frame
) -> Builder:
    """Return a service, open for what its kind has to add."""
    made = dated(Builder(("GLUE2ServiceID", id_), frame.above, classes), instant, frame)
    made.add("GLUE2ServiceType", service_type(type_, frame.settings.naming))
    made.add("GLUE2ServiceCapability", *map(word, capabilities))
    made.add("GLUE2ServiceQualityLevel", frame.settings.quality_level)
    made.add("GLUE2ServiceStatusInfo", word(status_page(frame.site, frame.settings)))
    return made.add("GLUE2ServiceAdminDomainForeignKey", frame.site)


def endpoint_entry(
    endpoint: SiteEndpoint,
    service: Builder,
    classes: Sequence[str],
    capabilities: Sequence[str],
    instant: int,
    frame: Frame,
) -> Builder:
    """Return an endpoint, open for what its kind has to add. Name, URL and version stand in this order."""
    made = Builder(("GLUE2EndpointID", endpoint.id), service.dn, classes)
    made.add("GLUE2EndpointInterfaceName", word(interface_name(endpoint.interface, frame.settings.naming)))
    made.add("GLUE2EndpointURL", safe_url(endpoint.url))
    made.add("GLUE2EndpointInterfaceVersion", word(endpoint.version))
    dated(made, instant, frame)
    made.add("GLUE2EntityOtherInfo", *(f"Authn={word(one)}" for one in endpoint.authentication if word(one)))
    made.add("GLUE2EndpointCapability", *map(word, capabilities))
    made.add("GLUE2EndpointTechnology", "webservice")
    made.add("GLUE2EndpointImplementor", text(endpoint.implementor))
    made.add("GLUE2EndpointImplementationName", text(endpoint.implementation))
    made.add("GLUE2EndpointImplementationVersion", text(endpoint.implementation_version))
    made.add("GLUE2EndpointSemantics", *map(word, endpoint.semantics))
    made.add("GLUE2EndpointIssuerCA", text(endpoint.issuer_ca))
    made.add("GLUE2EndpointTrustedCA", *map(text, endpoint.trusted_cas))
    made.add("GLUE2EndpointQualityLevel", frame.settings.quality_level)
    made.add("GLUE2EndpointHealthState", endpoint.state.health)
    made.add("GLUE2EndpointHealthStateInfo", text(endpoint.state.info))
    made.add("GLUE2EndpointServingState", endpoint.state.serving)
    if endpoint.downtime is not None:
        made.add("GLUE2EndpointDowntimeAnnounce", moment(endpoint.downtime.announced))
        made.add("GLUE2EndpointDowntimeStart", moment(endpoint.downtime.start))
        made.add("GLUE2EndpointDowntimeEnd", moment(endpoint.downtime.end))
        made.add("GLUE2EndpointDowntimeInfo", text(endpoint.downtime.info))
    return made.add("GLUE2EndpointServiceForeignKey", rdn_value(service))


def access_policy(
    endpoint: SiteEndpoint, made: Builder, instant: int, frame: Frame, *, everyone: bool = False
) -> Entry:
    """Return who may use an endpoint: its VOs, or everyone."""
    policy = _policy(identifier(endpoint.id, "policy"), made, "GLUE2AccessPolicy", instant, frame)
    rule_for(policy, endpoint.vos)
    if everyone:
        policy.add("GLUE2PolicyRule", "ALL")
    return policy.add("GLUE2AccessPolicyEndpointForeignKey", endpoint.id).entry()


def mapping_policy(share_id: str, vo: str, share: Builder, instant: int, frame: Frame) -> Entry:
    """Return whom a share serves."""
    policy = _policy(identifier(share_id, "policy"), share, "GLUE2MappingPolicy", instant, frame)
    return rule_for(policy, (vo,)).add("GLUE2MappingPolicyShareForeignKey", share_id).entry()


def rule_for(policy: Builder, vos: Sequence[str]) -> Builder:
    """Add the rules that let VOs in."""
    words = [one for one in map(word, vos) if one]
    policy.add("GLUE2PolicyRule", *(f"VO:{one}" for one in words))
    return policy.add("GLUE2PolicyUserDomainForeignKey", *words)


def rdn_value(made: Builder) -> str:
    """Return the identifier of an entry, from its DN."""
    return made.dn.partition(",")[0].partition("=")[2]


def _policy(id_: str, above: Builder, kind: str, instant: int, frame: Frame) -> Builder:
    policy = dated(Builder(("GLUE2PolicyID", id_), above.dn, ("GLUE2Policy", kind)), instant, frame)
    return policy.add("GLUE2PolicyScheme", SCHEME)
