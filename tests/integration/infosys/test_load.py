"""Whatever clouds call their things, the tree loads into a slapd with the schema as it is, and keeps every rule."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from fedcloud_agent.infosys import glue20, glue21
from fedcloud_agent.infosys.entry import Entry, digest, tree_hash
from fedcloud_agent.infosys.gathering import Seen
from fedcloud_agent.infosys.model import SiteOffer
from fedcloud_agent.infosys.rules.finding import ERROR
from fedcloud_agent.infosys.rules.inspection import inspect
from fedcloud_agent.infosys.sifting import sift
from tests.integration.infosys.slapd import dumped, load, text_of
from tests.unit.infosys.world import NOW, OFFER, seen, site

NASTY = (
    *("", " ", "  leading", "trailing ", "a,b", "a+b=c", 'say "hi"', "#number", "\\", "<url", ":colon", "a;b"),
    *(
        "dn: x",
        "DN:",
        "o=glue",
        "GLUE2DomainID=OTHER,o=glue",
        "GLUE2EndpointURL: x",
        "\n dn: cn=evil\n",
        "\0",
        "\x7f\x1b",
    ),
    *("caf\u00e9", "\u540d\u524d", "\U0001f98a", "e\u0301", "\u200b", "\u2028", "\ud800", "_", "__x", "../..", "%2C"),
    *("x" * 4000, "\u00e9" * 4000, "," * 4000, "A", "a"),
)
NAME = st.sampled_from(NASTY) | st.text(max_size=30)
MAYBE = st.none() | NAME
COUNT = st.none() | st.integers(-(10**12), 10**12)
SIZE = st.none() | st.integers(-1, 10**7)
KNOWN = st.none() | st.booleans()


def made(kind: Any, **more: Any) -> st.SearchStrategy[Any]:
    """Return things of a kind whose fields are all hostile."""
    given_: Dict[str, Any] = {}
    for field, hint in kind.__annotations__.items():
        if field in more:
            given_[field] = more[field]
        elif hint == "str":
            given_[field] = NAME
        elif hint == "Optional[str]":
            given_[field] = MAYBE
        elif hint == "Optional[int]":
            given_[field] = COUNT | SIZE
        elif hint == "Optional[bool]":
            given_[field] = KNOWN
        elif hint == "Tuple[str, ...]":
            given_[field] = st.lists(NAME, max_size=3).map(tuple)
        elif hint == "Optional[Tuple[str, ...]]":
            given_[field] = st.none() | st.lists(NAME, max_size=3).map(tuple)
        elif hint == "Optional[Machines]":
            given_[field] = st.none() | made(Machines)
    return st.builds(kind, **given_)


def several(kind: Any, most: int = 4, least: int = 0, **more: Any) -> st.SearchStrategy[Any]:
    return st.lists(made(kind, **more), min_size=least, max_size=most).map(tuple)


DOOR = st.builds("https://ks.example.org:{}/{}".format, st.integers(1, 65535), NAME | st.just("v3?a=b,c d"))
URL = st.one_of(*[DOOR] * 6, st.sampled_from(["https://keystone/v3", "https://\u00e9.example.org/"]), NAME)
HEALTH = st.sampled_from(["ok", "warning", "critical", "unknown"])
# what an entry cannot be without is mostly there, or little would be left to load
INTERFACE = st.one_of(*[st.sampled_from(["OpenStack", "O C,C I"])] * 3, NAME)
DOORS = several(Endpoint, 3, url=URL, interface=INTERFACE, health=HEALTH)
PROTOCOLS = st.lists(st.tuples(NAME, NAME), max_size=3).map(tuple)
VO = st.one_of(*[st.sampled_from(["ops", "vo.example.org", "v o", "\u00fc"])] * 3, NAME)
MEMORY = st.one_of(*[st.integers(1, 10**6)] * 3, COUNT)
OFFERS = st.builds(
    CloudOffer,
    as_of=st.just(NOW - 60),
    endpoints=DOORS,
    shares=several(Share, least=1, vo=VO, quotas=several(Quota)),
    managers=several(Manager, 2),
    instance_types=several(InstanceType, memory=MEMORY),
    images=several(Image),
    accelerators=several(Accelerator),
    storage=several(Storage, 2, endpoints=DOORS, protocols=PROTOCOLS),
    machines=st.none() | made(Machines),
)


def judged(offered: SiteOffer) -> SiteOffer:
    """Sift a site, load what is left, and compare with what slapd then holds. Returns what is left."""
    left = sift(offered, NOW).site
    entries = list(glue20.entries(left, NOW))
    assert [one for one in inspect(entries, NOW) if one.severity == ERROR] == []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        done = load(directory, text_of(entries))
        assert done.returncode == 0, done.stderr
        held = {one.dn: digest(one) for one in dumped(directory)}
    assert tree_hash(held) == tree_hash({one.dn: digest(one) for one in entries})
    return left


@settings(max_examples=25)
@given(st.lists(OFFERS, min_size=1, max_size=4))
@example([OFFER])
def test_every_tree_loads_and_keeps_every_rule(offers: List[CloudOffer]) -> None:
    clouds = [Seen(f"cloud-{n}", "ks.example.org", "OpenStack", one) for n, one in enumerate(offers)]
    left = judged(site(*clouds, settings=replace(site().settings, services={}, clouds={}, images="all")))
    for service in left.compute:
        document = glue21.document(left, service)
        shares = {one["ID"] for one in document["Share"]}
        for kind in ("CloudComputingImage", "CloudComputingInstanceType"):
            for one in document[kind]:
                beside = one["Associations"]
                assert isinstance(beside, dict) and shares >= set(beside["Share"])


@pytest.mark.parametrize("name", NASTY)
def test_things_with_hostile_names_are_published_all_the_same(name: str) -> None:
    """All at once are tried above; here nothing else can be the reason why something is missing."""
    hostile = seen(
        instance_types=(InstanceType(name, name, 1, 1024, 1, shares=(name,)), *OFFER.instance_types),
        images=(Image(name, name, "https://registry.example.org/1", name, name, os_name=name), *OFFER.images),
        managers=(replace(OFFER.managers[0], key=name, product=name, hypervisor=None),),
        shares=(replace(OFFER.shares[0], project=name, project_name=name, description=name), *OFFER.shares),
    )
    offered = site(hostile)
    left = sift(offered, NOW)
    assert left.aside == {} and left.repeated == ()


def test_all_hostile_names_together_load_at_once() -> None:
    types = tuple(InstanceType(name, name, 1, 1024, 1) for name in NASTY)
    images = tuple(Image(name, name, "https://registry.example.org/1", name) for name in NASTY)
    shares = tuple(replace(OFFER.shares[0], project=name, project_name=name) for name in NASTY)
    left = judged(site(seen(instance_types=types, images=images, shares=shares)))
    service = left.compute[0]
    assert (service.instance_types, service.images, service.shares) == (types, images, shares)


@pytest.mark.parametrize("vo", ["vo.example.org", "vo example", "v,o", "dn:vo", "\u00fcber.example.org"])
def test_a_vo_with_a_hostile_name_has_one_word_in_its_policy(vo: str) -> None:
    left = judged(site(seen(shares=(Share(vo, "p"),))))
    policies = [one for one in glue20.entries(left, NOW) if "GLUE2MappingPolicy" in one.classes]
    rule: Optional[str] = policies[0].first("GLUE2PolicyRule")
    assert rule is not None and rule.startswith("VO:") and rule.isascii() and " " not in rule


E = "GLUE2ExecutionEnvironment"


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        (E, {f"{E}MainMemorySize": ()}),
        (E, {f"{E}LogicalCPUs": ("two",)}),
        (E, {f"{E}LogicalCPUs": ("02",)}),
        (E, {f"{E}OSName": ("Ubuntu", "Debian")}),
        (E, {"GLUE2EntityName": ("",)}),
        ("GLUE2Share", {"objectClass": ("GLUE2Share", "GLUE2CloudComputingShare")}),
        ("GLUE2Group", {"GLUE2EntityCreationTime": ("2026-11-22T14:00:00Z",)}),
        ("GLUE2MappingPolicy", {"GLUE2PolicyRule": ()}),
    ],
)
def test_what_the_rules_say_that_slapd_refuses_it_refuses(
    where: str, changes: Dict[str, Tuple[str, ...]], tmp_path: Path
) -> None:
    entries = []
    for entry in glue20.entries(site(), NOW):
        if where in entry.classes:
            changed_ = {**entry.attributes, **changes}
            entry = Entry(entry.dn, {name: values for name, values in changed_.items() if values})
        entries.append(entry)
    assert {one.rule for one in inspect(entries, NOW)} & {"K005", "K006", "K007", "E021"}
    assert load(tmp_path, text_of(entries)).returncode != 0
