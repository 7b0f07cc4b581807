"""What a StratusLab offers: appliances of the Marketplace, to the VOs of its groups."""

from __future__ import annotations

import dataclasses
from typing import Any

from fedcloud_agent.clouds.offer import CloudOffer, Image, InstanceType, Machines
from fedcloud_plugins.opennebula.description.settings import InstanceTypeSettings, OfferSettings, PublicSettings
from fedcloud_plugins.stratuslab.plugin import StratusLab
from tests.federation.authority import Authority
from tests.integration.stratuslab.test_usage import APPLIANCE, NOW, Site, site

__all__ = ["Authority", "site"]

OTHER = "https://marketplace.example.org/metadata/CmyLTN1HSPDmf7yUo2_VLQqR6rB"
PUBLIC = PublicSettings("https://cloud.example.org/pswd/xmlrpc", "StratusLab")


def described(site: Site, **changes: Any) -> CloudOffer:
    changes.setdefault("offer", OfferSettings(PUBLIC))
    cloud = site.by_password()
    cloud = StratusLab("main", dataclasses.replace(cloud.settings, **changes))
    offer = cloud.describe()
    cloud.close()
    return offer


def test_a_whole_offer(site: Site) -> None:
    vo = str(site.oned.create_group("other.example.org"))
    site.oned.create_vm("jane", created=NOW - 7200, disks=[{"SOURCE": APPLIANCE, "TARGET": "vda"}])
    disk = {"DISK": {"SOURCE": APPLIANCE}, "MEMORY": "512"}
    site.oned.create("template", "ttylinux", template=disk)
    site.oned.create("template", "volatile", template={"DISK": {"SIZE": "100", "TYPE": "fs"}})
    offer = described(site, appliances=(OTHER,))
    assert offer.problems == ()
    endpoint = offer.endpoints[0]
    assert (endpoint.interface, endpoint.implementation) == ("StratusLab", "StratusLab")
    # it cannot be asked for its release
    assert endpoint.implementation_version is None
    mine = offer.shares[0]
    assert [(share.vo, share.quotas) for share in offer.shares] == [("vo.example.org", ()), ("other.example.org", ())]
    assert mine.machines == offer.machines == Machines(1, 1, 0, 0, 0)
    identifier = "BN1EEkPiBx87_uLj2-sdybSI-Xb"
    assert offer.images == (
        Image(
            identifier,
            "ttylinux",
            APPLIANCE,
            "2013-05-01T10:11:12Z",
            base_uri=f"http://marketplace.example.org/metadata/{identifier}",
            shares=(mine.project, vo),
        ),
        Image("CmyLTN1HSPDmf7yUo2_VLQqR6rB", "CmyLTN1HSPDmf7yUo2_VLQqR6rB", OTHER, base_uri=OTHER),
    )
    assert offer.instance_types == (
        InstanceType("1-cores-512-MB", "1 core, 512 MB", 1, 512, shares=(mine.project, vo)),
    )
    assert (offer.managers[0].key, offer.managers[0].product, offer.managers[0].logical_cpus) == (
        "kvm",
        "StratusLab",
        64,
    )
    assert "one.system.version" not in site.oned.calls()


def test_sizes_that_the_site_names(site: Site) -> None:
    table = {"m1.small": InstanceTypeSettings(1, 128, 1)}
    assert described(site, offer=OfferSettings(PUBLIC, instance_types=table)).instance_types == (
        InstanceType("m1.small", "m1.small", 1, 128, 1),
    )
    assert [one.subject for one in described(site).problems] == ["instance types"]
