"""From what the clouds told, what the site configured and what the other loops know to one site. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Collection, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union
from urllib.parse import urlsplit

from fedcloud_agent.clock import DAY, utc
from fedcloud_agent.clouds.offer import UNKNOWN, CloudOffer, Endpoint, Image, Machines, Manager
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.infosys.identifiers import identifier
from fedcloud_agent.infosys.model import (
    AgentState,
    ComputeService,
    Contact,
    Downtime,
    SiteEndpoint,
    SiteOffer,
    State,
    StorageService,
)
from fedcloud_agent.infosys.settings import (
    MARKETPLACE,
    InfosysSettings,
    PublishedCloudSettings,
    StaticComputeSettings,
    StaticStorageSettings,
)
from fedcloud_agent.infosys.words import word

_FAILURES = 2
"""So many collections in a row may fail before an endpoint's health counts as unknown."""
_FORGOTTEN = 7 * DAY


@dataclass(frozen=True)
class Seen:
    """The newest good offer of a cloud, and how the looks at it since then went."""

    name: str
    host: str
    cloud_type: str
    offer: CloudOffer
    failures: int = 0
    """Looks that failed since."""
    downtimes: Tuple[Downtime, ...] = ()


class KnownImage(NamedTuple):
    """What the image loop knows of an image that it brought to a cloud."""

    uri: str
    version: Optional[str]


def gather(
    site: str,
    host: str,
    settings: InfosysSettings,
    clouds: Sequence[Seen],
    now: int,
    *,
    agent: AgentState,
    images: Optional[Mapping[Tuple[str, str], KnownImage]] = None,
) -> SiteOffer:
    """Return the site. ``host`` is that of the information system; ``images`` is by cloud and image id.

    Raises ConfigurationError when nobody is named whom readers can write to.
    """
    compute = tuple(_compute(one, settings, now, images or {}) for one in clouds)
    vos = tuple(sorted({vo for one in compute for endpoint in one.endpoints for vo in endpoint.vos}))
    storage = [
        *(one for cloud in clouds for one in _storage(cloud, settings, now)),
        *(
            _static_storage(name, one, settings, vos, now)
            for name, one in settings.services.items()
            if isinstance(one, StaticStorageSettings)
        ),
    ]
    return SiteOffer(site, host, settings, tuple(_contacts(settings)), compute, tuple(storage), agent)


def check_names(settings: InfosysSettings, clouds: Collection[str]) -> None:
    """Raise ConfigurationError when the settings speak of a cloud that is not configured."""
    spoken = {f"infosys.clouds.{name}": name for name in settings.clouds}
    for name, one in settings.services.items():
        if isinstance(one, StaticComputeSettings):
            spoken[f"infosys.services.{name}.cloud"] = one.cloud
    for name, downtime in settings.downtimes.items():
        spoken.update({f"infosys.downtimes.{name}.clouds: {cloud}": cloud for cloud in downtime.clouds})
    for path, cloud in spoken.items():
        if cloud not in clouds:
            raise ConfigurationError(
                f"{path} speaks of the cloud {cloud!r}, which is not configured",
                hint=f"configured: {', '.join(clouds) or 'none'}",
            )


def state_of(
    seen: Seen, endpoint: Endpoint, settings: InfosysSettings, downtime: Optional[Downtime], now: int
) -> State:
    """Return how an endpoint stands: as it was found, unless we could not look for too long or it is announced down."""
    health, info = endpoint.health, endpoint.health_info
    if seen.failures >= _FAILURES:
        health, info = UNKNOWN, f"not read since {utc(seen.offer.as_of)}"
    serving = "production"
    if now - seen.offer.as_of > settings.closed_after:
        health, serving, info = UNKNOWN, "closed", f"not read since {utc(seen.offer.as_of)}"
    if downtime is not None and downtime.outage and downtime.start <= now < downtime.end:
        serving = "closed"
    return State(health, serving, info)


def downtime_at(downtimes: Sequence[Downtime], now: int) -> Optional[Downtime]:
    """Return the downtime to be shown: the one that is on, else the next one, else one that ended within a week.

    One that contradicts itself is passed over.
    """
    good = [one for one in downtimes if one.start < one.end and one.announced <= now and one.end > now - _FORGOTTEN]
    going = [one for one in good if one.end > now]
    if going:
        return min(going, key=lambda one: (one.start, one.end))
    return max(good, key=lambda one: one.end) if good else None


def _contacts(settings: InfosysSettings) -> Iterator[Contact]:
    given = settings.contacts
    mails = {"general": settings.contact, "sysadmin": given.sysadmin, "security": given.security}
    for kind, mail in {**mails, "usersupport": given.usersupport}.items():
        address = mail or settings.contact
        if address is None:
            raise ConfigurationError(
                "the information system needs a mail address that readers can write to",
                hint="set 'infosys.contact' in agent.yaml",
            )
        yield Contact(kind, address)


def _compute(
    seen: Seen, settings: InfosysSettings, now: int, known: Mapping[Tuple[str, str], KnownImage]
) -> ComputeService:
    offer, published = seen.offer, settings.clouds.get(seen.name, PublishedCloudSettings())
    vos = tuple(sorted({share.vo for share in offer.shares}))
    downtime = downtime_at(seen.downtimes, now)
    endpoints: List[SiteEndpoint] = []
    for one in offer.endpoints:
        state = state_of(seen, one, settings, downtime, now)
        endpoints.append(_endpoint(seen.name, one, vos, state, downtime, published.issuer_ca, seen.cloud_type))
    for static in settings.services.values():
        if isinstance(static, StaticComputeSettings) and static.cloud == seen.name:
            one = _static_endpoint(static)
            state = state_of(seen, one, settings, downtime, now)
            endpoints.append(_endpoint(seen.name, one, static.vos or vos, state, downtime, None, static.interface))
    images = [_with_knowledge(image, known.get((seen.name, image.id))) for image in offer.images]
    return ComputeService(
        name=seen.name,
        base=identifier(seen.host, seen.name),
        gocdb_id=published.gocdb_id,
        as_of=offer.as_of,
        endpoints=tuple(endpoints),
        shares=offer.shares,
        managers=offer.managers or (Manager("machines", product=seen.cloud_type),),
        instance_types=offer.instance_types,
        images=tuple(one for one in images if one.marketplace_uri or settings.images != MARKETPLACE),
        accelerators=offer.accelerators,
        machines=offer.machines or Machines(),
    )


def _with_knowledge(image: Image, known: Optional[KnownImage]) -> Image:
    if known is None:
        return image
    return replace(image, marketplace_uri=known.uri, version=known.version or image.version)


def _endpoint(
    cloud: str,
    one: Endpoint,
    vos: Tuple[str, ...],
    state: State,
    downtime: Optional[Downtime],
    issuer_ca: Optional[str],
    product: str,
) -> SiteEndpoint:
    return SiteEndpoint(
        id=identifier(one.url, one.interface, one.authentication[0] if one.authentication else "any", cloud),
        url=one.url,
        interface=one.interface,
        # each endpoint has a version, or the columns of those who read several by lines are shifted
        version=word(one.version) or "unknown",
        implementation=one.implementation or product,
        implementation_version=one.implementation_version,
        implementor=one.implementor,
        authentication=one.authentication,
        semantics=one.semantics,
        issuer_ca=one.issuer_ca or issuer_ca,
        trusted_cas=one.trusted_cas,
        vos=vos,
        state=state,
        downtime=downtime,
    )


def _static_endpoint(one: Union[StaticComputeSettings, StaticStorageSettings]) -> Endpoint:
    return Endpoint(
        one.url,
        one.interface,
        one.interface_version,
        implementation=one.implementation,
        implementation_version=one.implementation_version,
        authentication=one.authentication,
    )


def _storage(seen: Seen, settings: InfosysSettings, now: int) -> Iterator[StorageService]:
    downtime = downtime_at(seen.downtimes, now)
    served = tuple(sorted({share.vo for share in seen.offer.shares}))
    for one in seen.offer.storage:
        name = f"{seen.name}.{one.key}"
        vos = served if one.vos is None else one.vos
        yield StorageService(
            name=name,
            base=identifier(seen.host, name),
            as_of=seen.offer.as_of,
            endpoints=tuple(
                _endpoint(
                    name, door, vos, state_of(seen, door, settings, downtime, now), downtime, None, seen.cloud_type
                )
                for door in one.endpoints
            ),
            # one of each kind: its version is no part of what it is called
            protocols=tuple({word(kind): (kind, version) for kind, version in one.protocols if word(kind)}.values()),
            product=seen.cloud_type,
            total=one.total,
            used=one.used,
            free=one.free,
            reserved=one.reserved,
        )


def _static_storage(
    name: str, one: StaticStorageSettings, settings: InfosysSettings, vos: Tuple[str, ...], now: int
) -> StorageService:
    door = _static_endpoint(one)
    # nobody looks at it: its health is not known, and it serves as far as the site says
    state = State(UNKNOWN, "production", "not watched by the agent")
    return StorageService(
        name=name,
        base=identifier(urlsplit(one.url).hostname or "", name),
        as_of=now,
        endpoints=(_endpoint(name, door, one.vos or vos, state, None, None, one.interface),),
        protocols=((one.protocol, one.protocol_version),),
        product=one.implementation or one.interface,
        total=one.total,
    )
