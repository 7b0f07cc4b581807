"""A site to render: one cloud with two VOs, a door in front of it, and storage beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Tuple

from fedcloud_agent.clouds.offer import (
    Accelerator,
    CloudOffer,
    Endpoint,
    Image,
    InstanceType,
    Machines,
    Manager,
    Quota,
    Share,
    Storage,
)
from fedcloud_agent.infosys.gathering import Seen, gather
from fedcloud_agent.infosys.model import AgentState, SiteOffer
from fedcloud_agent.infosys.settings import (
    ContactSettings,
    InfosysSettings,
    LocationSettings,
    PublishedCloudSettings,
    StaticComputeSettings,
    StaticStorageSettings,
)

NOW = 1_795_356_000  # 2026-11-22 14:00:00 UTC
SITE = "EXAMPLE-SITE"

OFFER = CloudOffer(
    as_of=NOW - 60,
    endpoints=(
        Endpoint(
            "https://ks.example.org:5000/v3",
            "OpenStack",
            "v2.1",
            implementation="OpenStack Nova",
            implementation_version="2.93",
            implementor="OpenStack Foundation",
            authentication=("oidc",),
            semantics=("https://docs.example.org/compute",),
            issuer_ca="/DC=org/DC=example/CN=CA",
            trusted_cas=("/DC=org/DC=example/CN=CA", "/DC=org/DC=example/CN=Other"),
        ),
    ),
    shares=(
        Share(
            *("ops", "p-ops", "egi-ops", "Default", "For monitoring"),
            max_machines=10,
            max_cpu=8,
            max_memory=16384,
            quotas=(Quota("cores", 20, 3), Quota("ram", 51200), Quota("floating_ips", -1)),
            machines=Machines(3, 2, 0, 0, 1),
        ),
        Share("vo.example.org", "p-vo", "vo-example"),
    ),
    managers=(
        Manager(
            *("kvm", "OpenStack Nova", "2.93", "KVM", "8.2", "x86_64"),
            hosts=4,
            physical_cpus=64,
            logical_cpus=128,
            slots=256,
            slots_used=100,
            memory=524288,
            live_migration=True,
        ),
    ),
    instance_types=(
        InstanceType("1", "m1.small", 1, 2048, 20, network_in=True, network_out=True),
        InstanceType("g4", "gpu.large", 16, 65536, 80, 100, accelerator="a", shares=("p-vo",)),
    ),
    images=(
        Image(
            *("img-1", "Ubuntu 22.04", "https://registry.example.org/vo/image/img-1/", "2026.11", "Ubuntu for all"),
            *("linux", "ubuntu", "22.04", "x86_64"),
            min_cpu=1,
            recommended_cpu=2,
            min_memory=512,
        ),
        Image("img-2", "Debian", "registry.example.org/debian:12", shares=("p-vo",)),
        Image("img-3", "a private one"),
    ),
    accelerators=(Accelerator("a", "GPU", 2, "NVIDIA", "Tesla T4", memory=16),),
    storage=(
        Storage(
            "object",
            (Endpoint("https://swift.example.org:8080/", "Swift", "v1", authentication=("oidc",)),),
            (("https", "1.1"),),
            total=10000,
            used=4000,
            free=6000,
        ),
    ),
    machines=Machines(100, 80, 5, 10, 5),
)

SEEN = Seen("main", "ks.example.org", "OpenStack", OFFER)

SETTINGS = InfosysSettings(
    contact="support@example.org",
    contacts=ContactSettings(security="security@example.org"),
    location=LocationSettings("Czech Republic", "Brno", 49.2, 16.6),
    description="The cloud of the Example Institute",
    www="https://cloud.example.org/",
    ngi="NGI_CZ",
    services={
        "occi": StaticComputeSettings("https://occi.example.org:8787/occi1.1", "OCCI", "1.1", cloud="main"),
        "cdmi": StaticStorageSettings("https://cdmi.example.org:8080/", "CDMI", "1.0.1", vos=("ops",), total=2000),
    },
    clouds={"main": PublishedCloudSettings(gocdb_id="7513G0")},
)
AGENT = AgentState("1.2.3", NOW - 3600, NOW - 600, NOW - 7200)


def site(*clouds: Seen, settings: InfosysSettings = SETTINGS, now: int = NOW, **more: Any) -> SiteOffer:
    """Gather the site of some clouds, or of the one that stands above."""
    return gather(SITE, "bdii.example.org", settings, clouds or (SEEN,), now, agent=AGENT, **more)


def seen(name: str = "main", **changes: Any) -> Seen:
    """Return the cloud with another offer."""
    return replace(SEEN, name=name, offer=replace(OFFER, **changes))


def with_first(things: Tuple[Any, ...], **changes: Any) -> Tuple[Any, ...]:
    """Return things of which the first is changed."""
    return (replace(things[0], **changes), *things[1:])
