"""What the clouds told, what the site says, and how things stand, put together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fedcloud_agent.clock import DAY, HOUR
from fedcloud_agent.errors import ConfigurationError
from fedcloud_agent.infosys.gathering import KnownImage, check_names, downtime_at
from fedcloud_agent.infosys.model import Downtime, SiteEndpoint
from tests.unit.infosys.world import NOW, OFFER, SEEN, SETTINGS, seen, site


def door(**changes: object) -> SiteEndpoint:
    return site(replace(SEEN, **changes)).compute[0].endpoints[0]  # type: ignore[arg-type]


def test_an_endpoint_stands_as_it_was_found() -> None:
    assert (door().state.health, door().state.serving) == ("ok", "production")
    assert door(failures=1).state.health == "ok"


def test_after_two_failures_its_health_is_unknown_and_it_is_open() -> None:
    state = door(failures=2).state
    assert (state.health, state.serving) == ("unknown", "production") and "not read since 2026-11-22" in str(state.info)


def test_what_was_not_read_for_too_long_is_closed() -> None:
    late = site(SEEN, now=OFFER.as_of + SETTINGS.closed_after + 1).compute[0].endpoints[0].state
    assert (late.health, late.serving) == ("unknown", "closed")
    assert site(SEEN, now=OFFER.as_of + SETTINGS.closed_after).compute[0].endpoints[0].state.serving == "production"


@pytest.mark.parametrize(
    ("downtime", "serving"),
    [
        (Downtime(NOW - DAY, NOW - HOUR, NOW + HOUR, "disks"), "closed"),
        (Downtime(NOW - DAY, NOW - HOUR, NOW + HOUR, "disks", outage=False), "production"),
        (Downtime(NOW - DAY, NOW + HOUR, NOW + DAY, "disks"), "production"),
        (Downtime(NOW - DAY, NOW - HOUR, NOW, "disks"), "production"),
    ],
)
def test_a_downtime_closes_while_it_is_on(downtime: Downtime, serving: str) -> None:
    assert door(downtimes=(downtime,)).state.serving == serving
    assert door(downtimes=(downtime,)).downtime == downtime


def test_of_several_downtimes_the_one_that_is_on_is_shown_then_the_next_then_the_last() -> None:
    over = Downtime(NOW - 5 * DAY, NOW - 4 * DAY, NOW - 3 * DAY, "over")
    on = Downtime(NOW - DAY, NOW - HOUR, NOW + HOUR, "on")
    ahead = Downtime(NOW - DAY, NOW + DAY, NOW + 2 * DAY, "ahead")
    assert downtime_at((over, ahead, on), NOW) == on
    assert downtime_at((over, ahead), NOW) == ahead
    assert downtime_at((over,), NOW) == over
    assert downtime_at((over,), NOW + 5 * DAY) is None
    assert downtime_at((replace(on, start=on.end + 1), replace(on, announced=NOW + 1)), NOW) is None


def test_images_of_the_marketplace_are_published_and_others_when_the_site_says_so() -> None:
    assert [one.id for one in site().compute[0].images] == ["img-1", "img-2"]
    all_ = site(settings=replace(SETTINGS, images="all"))
    assert [one.id for one in all_.compute[0].images] == ["img-1", "img-2", "img-3"]


def test_what_the_image_loop_knows_wins() -> None:
    known = {
        ("main", "img-3"): KnownImage("https://r.example.org/3", "7"),
        ("main", "img-1"): KnownImage("https://r/1", None),
    }
    images = {one.id: one for one in site(images=known).compute[0].images}
    assert (images["img-3"].marketplace_uri, images["img-3"].version) == ("https://r.example.org/3", "7")
    assert (images["img-1"].marketplace_uri, images["img-1"].version) == ("https://r/1", "2026.11")


def test_static_doors_stand_beside_those_of_their_cloud() -> None:
    made = site()
    assert [one.interface for one in made.compute[0].endpoints] == ["OpenStack", "OCCI"]
    assert made.compute[0].endpoints[1].vos == ("ops", "vo.example.org")
    assert [(one.name, one.endpoints[0].vos) for one in made.storage] == [
        ("main.object", ("ops", "vo.example.org")),
        ("cdmi", ("ops",)),
    ]
    assert made.storage[1].endpoints[0].state.health == "unknown"


def test_a_cloud_without_managers_and_versions_gets_what_readers_cannot_miss() -> None:
    bare = site(seen(managers=(), endpoints=(replace(OFFER.endpoints[0], version=None, implementation=None),)))
    service = bare.compute[0]
    assert service.managers[0].product == "OpenStack"
    assert (service.endpoints[0].version, service.endpoints[0].implementation) == ("unknown", "OpenStack")


def test_every_kind_of_contact_has_an_address() -> None:
    mails = {one.kind: one.mail for one in site().contacts}
    assert mails == {
        "general": "support@example.org",
        "sysadmin": "support@example.org",
        "security": "security@example.org",
        "usersupport": "support@example.org",
    }


def test_without_an_address_nothing_is_made() -> None:
    with pytest.raises(ConfigurationError, match="mail address") as error:
        site(settings=replace(SETTINGS, contact=None))
    assert "infosys.contact" in str(error.value.hint)


@pytest.mark.parametrize("path", ["infosys.clouds.main", "infosys.services.occi.cloud"])
def test_settings_that_speak_of_no_cloud_are_named(path: str) -> None:
    check_names(SETTINGS, ["main"])
    lacking = replace(SETTINGS, clouds={}) if "services" in path else replace(SETTINGS, services={})
    with pytest.raises(ConfigurationError, match=path):
        check_names(lacking, ["other"])
