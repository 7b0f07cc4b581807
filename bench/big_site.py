"""A site of thousands of images and instance types, and what becomes of it from one look to the next.

``variant`` is ``a``; ``b``: one VO has new versions of its images, so that one in a hundred entries is changed; ``e``:
as many images are gone, as many are new, and as many entries are changed. Entries are those of the GLUE 2.0 tree.
"""

from __future__ import annotations

import uuid
from typing import Iterator, List, Optional, Sequence, Tuple

from fedcloud_agent.clouds.offer import CloudOffer, Endpoint, Image, InstanceType, Machines, Manager, Quota, Share
from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.gathering import Seen, gather
from fedcloud_agent.infosys.model import AgentState, SiteOffer
from fedcloud_agent.infosys.settings import ContactSettings, InfosysSettings, LocationSettings

NOW = 1_795_356_000  # 2026-11-22 14:00:00 UTC
SITE = "EXAMPLE-SITE"
VARIANTS = ("a", "b", "e")
LEAST = 300
"""Of entries: of fewer, one in a hundred is too little to show a difference."""
_SYSTEMS = (("ubuntu", "22.04"), ("ubuntu", "24.04"), ("debian", "12"), ("almalinux", "9.4"), ("rocky", "8.10"))
_COMMON_TYPES = 20
_SETTINGS = InfosysSettings(
    contact="cloud-support@example.org",
    contacts=ContactSettings(),
    location=LocationSettings("Czech Republic", "Brno", 49.2, 16.6),
    description="The cloud of the Example Institute",
    ngi="NGI_CZ",
)


def site_offer(entries: int, variant: str = "a", *, as_of: int = NOW) -> SiteOffer:
    """Return a site whose tree has so many entries; another ``as_of`` dates every entry of its cloud anew."""
    return _site(cloud_offer(entries, variant, as_of=as_of))


def cloud_offer(entries: int, variant: str = "a", *, as_of: int = NOW) -> CloudOffer:
    """Return what the cloud of such a site tells."""
    if entries < LEAST or variant not in VARIANTS:
        raise ValueError(f"{entries} entries, variant {variant!r}: at least {LEAST} and one of {', '.join(VARIANTS)}")
    shares = min(40, entries // 50)
    bare = _offer(as_of, shares, entries // 20, ())
    count = entries - sum(1 for _ in glue20.entries(_site(bare), as_of))
    changed = entries // 100
    return _offer(as_of, shares, entries // 20, tuple(_images(count, shares, changed, variant)))


def _site(offer: CloudOffer) -> SiteOffer:
    seen = Seen("main", "cloud.example.org", "OpenStack", offer)
    return gather(SITE, "bdii.example.org", _SETTINGS, [seen], offer.as_of, agent=AgentState("1.0"))


def _offer(as_of: int, shares: int, types: int, images: Tuple[Image, ...]) -> CloudOffer:
    return CloudOffer(
        as_of=as_of,
        endpoints=(
            Endpoint(
                *("https://cloud.example.org:5000/v3", "OpenStack", "v2.1", "OpenStack Nova", "2.93"),
                authentication=("oidc",),
                issuer_ca="/DC=org/DC=example/CN=CA",
            ),
        ),
        shares=tuple(
            Share(
                *(_vo(one), _project(one), f"egi-{_vo(one)}", "egi"),
                quotas=(Quota("instances", 100, one), Quota("cores", 400, 4 * one), Quota("ram", 819200, 8192 * one)),
                machines=Machines(one, one, 0, 0, 0),
            )
            for one in range(shares)
        ),
        managers=(
            Manager("kvm", "OpenStack Nova", "2.93", "KVM", "8.2", "x86_64", 120, 480, 7680, 15360, 9000),
            Manager("kvm-gpu", "OpenStack Nova", "2.93", "KVM", "8.2", "x86_64", 8, 32, 512, 512, 300),
        ),
        instance_types=tuple(_type(one, shares) for one in range(types)),
        images=images,
        machines=Machines(9000, 8500, 100, 300, 100),
    )


def _vo(one: int) -> str:
    return f"vo.community{one:02}.example.org"


def _project(one: int) -> str:
    return _unique("project", one)


def _unique(*parts: object) -> str:
    """Return what OpenStack would call it: the same whenever it is asked for."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))).hex


def _type(one: int, shares: int) -> InstanceType:
    cpu = 1 << one % 7
    owner: Optional[Tuple[str, ...]] = None if one < _COMMON_TYPES else (_project(one % shares),)
    manager = "kvm-gpu" if one % 10 == 9 else "kvm"
    name = f"{'c' if one % 3 else 'm'}{one}.{cpu}core"
    return InstanceType(
        *(_unique("flavor", one), name, cpu, cpu * 2048, 20 * cpu),
        network_in=True,
        network_out=True,
        manager=manager,
        shares=owner,
    )


def _images(count: int, shares: int, changed: int, variant: str) -> Iterator[Image]:
    """Yield the images, each of one VO, and one in ten of a second one.

    Those that change are of the first VO alone, those that come and go of the second: of each the share is changed,
    too, as it names its images.
    """
    own = [one for one in range(count) if not _shared(one, shares)]
    first = [one for one in own if one % shares == 0]
    second = [one for one in own if one % shares == 1]
    renewed = frozenset(first[: {"a": 0, "b": changed - 1, "e": changed - 2}[variant]])
    gone = frozenset(second[:changed] if variant == "e" else ())
    for one in range(count):
        if one not in gone:
            yield _image(one, shares, "2026.12" if one in renewed else "2026.11")
    if gone:
        yield from (_image(one, shares, "2026.12") for one in _later(count, shares, changed))


def _later(count: int, shares: int, wanted: int) -> Sequence[int]:
    """Return the numbers of images that were not there before, of the second VO alone."""
    found: List[int] = []
    one = count
    while len(found) < wanted:
        if one % shares == 1 and not _shared(one, shares):
            found.append(one)
        one += 1
    return found


def _shared(one: int, shares: int) -> bool:
    return one // shares % 10 == 0


def _image(one: int, shares: int, version: str) -> Image:
    system, release = _SYSTEMS[one % len(_SYSTEMS)]
    owners = [one % shares, (one + 1) % shares] if _shared(one, shares) else [one % shares]
    registry = f"https://registry.example.org/store/vo/image/{uuid.UUID(_unique('entry', one))}"
    return Image(
        *(_unique("image", one), f"Image for {_vo(owners[0])} [{system.capitalize()}/{release}/KVM]"),
        *(f"{registry}:{one}/", version, f"{system.capitalize()} {release} with the tools of {_vo(owners[0])}"),
        *("linux", system, release, "x86_64"),
        min_cpu=1,
        recommended_cpu=2,
        min_memory=1024,
        recommended_memory=4096,
        disk=10,
        access_info="rsa",
        base_uri=f"{registry}/",
        shares=tuple(_project(owner) for owner in owners),
    )
