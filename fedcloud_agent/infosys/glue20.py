"""The site as GLUE 2.0 entries for LDAP: the stem of the tree, and the order of all that hangs on it.

Entries come in the order in which they can be added: parents before children, and nothing refers to an entry that did
not come before it. They are made one by one; whoever keeps none of them needs no more memory for ten thousand than for
ten.
"""

from __future__ import annotations

from typing import Callable, Iterator, Tuple

from fedcloud_agent.infosys.entry import Builder, Entry
from fedcloud_agent.infosys.glue20_compute import compute_entries, everything
from fedcloud_agent.infosys.glue20_service import Frame, access_policy, endpoint_entry, service_entry
from fedcloud_agent.infosys.glue20_storage import storage_entries
from fedcloud_agent.infosys.identifiers import identifier
from fedcloud_agent.infosys.model import Contact, SiteEndpoint, SiteOffer, State
from fedcloud_agent.infosys.words import moment, text, word

SUFFIX = "o=glue"


def base_of(site: str) -> str:
    """Return the DN that readers of the federation ask for; they compare its value with upper and lower case."""
    return f"GLUE2DomainID={site},{SUFFIX}"


def entries(site: SiteOffer, now: int, wanted: Callable[[object], bool] = everything) -> Iterator[Entry]:
    """Yield the whole tree, from the suffix down. ``now`` dates what the site itself says.

    Of the clouds' instance types, images and shares only those that are ``wanted``.
    """
    yield Entry(SUFFIX, {"objectClass": ("organization",), "o": ("glue",)})
    yield _group("resource", SUFFIX)
    stem = base_of(site.name)
    frame = Frame(site.name, site.settings, f"GLUE2GroupID=cloud,{stem}")
    yield _domain(site, now)
    yield _location(site, stem, now)
    for contact in site.contacts:
        yield _contact(site, contact, stem, now)
    yield _group("resource", stem)
    yield _group("cloud", stem)
    if site.host is not None:
        resource = Frame(site.name, site.settings, f"GLUE2GroupID=resource,{stem}")
        yield from _own_service(site, site.host, resource, now)
    for compute in site.compute:
        yield from compute_entries(compute, frame, wanted)
    for storage in site.storage:
        yield from storage_entries(storage, frame)


def _group(name: str, above: str) -> Entry:
    return Builder(("GLUE2GroupID", name), above, ("GLUE2Group",)).entry()


def _domain(site: SiteOffer, now: int) -> Entry:
    settings, agent = site.settings, site.agent
    made = Builder(("GLUE2DomainID", site.name), SUFFIX, ("GLUE2Domain", "GLUE2AdminDomain"))
    made.add("GLUE2EntityName", site.name)
    made.add("GLUE2EntityCreationTime", moment(now)).add("GLUE2EntityValidity", settings.validity)
    made.add("GLUE2DomainDescription", text(settings.description)).add("GLUE2DomainWWW", word(settings.www))
    made.add("GLUE2AdminDomainDistributed", False)
    made.add("GLUE2EntityOtherInfo", *(f"{key}={word(value)}" for key, value in site.words.items()))
    made.add("GLUE2EntityOtherInfo", f"AgentVersion={agent.version}")
    for key, instant in (
        ("AccountingAcknowledged", agent.last_acknowledged),
        ("AccountingWaitingSince", agent.oldest_waiting),
        ("ImagesSynchronised", agent.last_image_sync),
    ):
        if instant is not None:
            made.add("GLUE2EntityOtherInfo", f"{key}={moment(instant)}")
    return made.entry()


def _location(site: SiteOffer, stem: str, now: int) -> Entry:
    place = site.settings.location
    made = Builder(("GLUE2LocationID", identifier("location", site.name)), stem, ("GLUE2Location",))
    made.add("GLUE2EntityCreationTime", moment(now)).add("GLUE2EntityValidity", site.settings.validity)
    made.add("GLUE2LocationCountry", text(place.country)).add("GLUE2LocationPlace", text(place.place))
    made.add("GLUE2LocationLatitude", place.latitude).add("GLUE2LocationLongitude", place.longitude)
    return made.add("GLUE2LocationDomainForeignKey", site.name).entry()


def _contact(site: SiteOffer, contact: Contact, stem: str, now: int) -> Entry:
    made = Builder(("GLUE2ContactID", identifier(contact.kind, "contact", site.name)), stem, ("GLUE2Contact",))
    made.add("GLUE2EntityCreationTime", moment(now)).add("GLUE2EntityValidity", site.settings.validity)
    made.add("GLUE2ContactDetail", f"mailto:{word(contact.mail)}").add("GLUE2ContactType", contact.kind)
    return made.add("GLUE2ContactDomainForeignKey", site.name).entry()


def own_ids(site: SiteOffer) -> Tuple[str, str]:
    """Return the identifiers of the information system itself: service and endpoint."""
    return identifier(site.name, "sitebdii"), identifier(f"{site.host}:{site.settings.port}", "sitebdii_endpoint")


def _own_service(site: SiteOffer, host: str, frame: Frame, now: int) -> Iterator[Entry]:
    """Yield the information system itself, as sites have published theirs from the start."""
    capabilities = ("information.model", "information.discovery", "information.monitoring")
    id_, endpoint_id = own_ids(site)
    service = service_entry(id_, "bdii_site", ("GLUE2Service",), capabilities, now, frame)
    yield service.add("GLUE2EntityName", f"Information system of {site.name}").entry()
    endpoint = SiteEndpoint(
        id=endpoint_id,
        url=f"ldap://{host}:{site.settings.port}/",
        interface="bdii_site",
        version="2.0",
        implementation="fedcloud-agent",
        implementation_version=site.agent.version,
        implementor=None,
        authentication=(),
        semantics=(),
        issuer_ca=None,
        trusted_cas=(),
        vos=(),
        state=State("ok", "production"),
    )
    made = endpoint_entry(endpoint, service, ("GLUE2Endpoint",), capabilities, now, frame)
    yield made.entry()
    yield access_policy(endpoint, made, now, frame, everyone=True)
