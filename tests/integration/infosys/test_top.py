"""The Top-BDII of the federation in a box does what the real ones do, above all where that is not kind."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import Iterator, List, Set

import pytest

from fedcloud_agent.infosys import glue20
from fedcloud_agent.infosys.entry import Entry, digest, tree_hash
from tests.federation.top import Cycle, TopBdii
from tests.federation.top.directory import SCHEMA, Directory
from tests.federation.top.judgement import below
from tests.federation.top.sources import GRID
from tests.unit.infosys.world import NOW, SITE, site

pytestmark = pytest.mark.skipif(
    not (SCHEMA / "GLUE20.schema").exists(), reason="the packages slapd and glue-schema are not installed"
)

BASE = f"GLUE2DomainID={SITE},o=glue"
AT_TOP = f"GLUE2DomainID={SITE},{GRID}"
STEM = {"o=glue", "GLUE2GroupID=resource,o=glue", GRID}
IMAGE = "GLUE2ApplicationEnvironment"


def published() -> List[Entry]:
    return [entry for entry in glue20.entries(site(), NOW) if below(entry.dn, BASE)]


def moved(entries: List[Entry]) -> str:
    """Return the hash of what a Top has of a site."""
    return hashed([Entry(one.dn.replace("o=glue", GRID), one.attributes) for one in entries])


def hashed(entries: List[Entry]) -> str:
    return tree_hash({entry.dn: digest(entry) for entry in entries})


def held(top: TopBdii) -> str:
    return hashed(top.entries(AT_TOP))


def dns(top: TopBdii) -> Set[str]:
    return {entry.dn for entry in top.entries()}


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Directory]:
    with Directory(tmp_path / "site").load(glue20.entries(site(), NOW)) as running:
        yield running


def await_cycles(top: TopBdii, before: int) -> List[Cycle]:
    """Return those that ended after ``before`` of them, of which at least one began after now."""
    top.await_cycle()
    return top.cycles()[before:]


def test_it_holds_what_the_site_says_without_the_images_and_follows(source: Directory, tmp_path: Path) -> None:
    there = [entry for entry in published() if IMAGE not in entry.classes]
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}, interval=0.1) as top:
        first = top.cycles()[0]
        assert first.sources[SITE].error is None and first.errors == []
        assert first.sources[SITE].entries == len(there) and first.added == first.entries == len(there) + len(STEM)
        assert held(top) == moved(there)

        endpoint = next(entry.dn for entry in there if "GLUE2Endpoint" in entry.classes)
        gone = next(entry.dn for entry in there if "GLUE2MappingPolicy" in entry.classes)
        new = Entry(f"GLUE2GroupID=new,{BASE}", {"objectClass": ("GLUE2Group",), "GLUE2GroupID": ("new",)})
        before = len(top.cycles())
        source.replace(endpoint, GLUE2EndpointHealthState=["critical"], GLUE2EndpointHealthStateInfo=["down"])
        source.delete(gone)
        source.add(new)
        since = await_cycles(top, before)
        assert [sum(getattr(one, what) for one in since) for what in ("added", "modified", "deleted")] == [1, 1, 1]
        assert [one.errors for one in since if one.errors] == []
        assert held(top) == moved(source.entries(BASE, f"(!(objectClass={IMAGE}))"))

        still = await_cycles(top, len(top.cycles()))[-1]
        assert (still.added, still.modified, still.deleted) == (0, 0, 0)


def test_a_filter_is_no_part_of_what_older_tops_ask(source: Directory, tmp_path: Path) -> None:
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}, images=True) as top:
        assert held(top) == moved(published())


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("GLUE2DomainID=example-site,o=glue", "No such object (32)"),
        ("mds-vo-name=example-site,o=grid", "No such object (32)"),
        ("GLUE2NoSuchAttribute=1,o=glue", "Invalid DN syntax (34)"),
    ],
)
def test_a_base_that_is_not_there_to_the_letter_gives_nothing(
    source: Directory, tmp_path: Path, path: str, error: str
) -> None:
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{path}"}) as top:
        look = top.cycles()[0].sources[SITE]
        assert look.error is not None and error in look.error and look.entries == 0
        assert dns(top) == STEM


def test_the_whole_of_a_site_is_gone_level_by_level_when_it_does_not_answer(source: Directory, tmp_path: Path) -> None:
    """A Top keeps nothing, and tears down from above: what has something below it is refused, and tried again."""
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}, interval=0.1) as top:
        before = len(top.cycles())
        source.stop()
        deadline = time.monotonic() + 30
        while dns(top) != STEM and time.monotonic() < deadline:
            time.sleep(0.05)
        assert dns(top) == STEM
        since = await_cycles(top, before)
        assert any(look.error and "Can't contact LDAP server" in look.error for look in since[-1].sources.values())
        refused = [error for cycle in since for error in cycle.errors]
        assert refused and all(error.startswith("ldapdelete:") and "(66)" in error for error in refused)
        assert sum(cycle.deleted for cycle in since) == top.cycles()[0].entries - len(STEM)


def test_with_a_delay_what_is_gone_stays_until_its_time_has_come(source: Directory, tmp_path: Path) -> None:
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}, interval=0.1, delete_delay=3.0) as top:
        there = dns(top)
        source.stop()
        one = top.await_cycle()
        assert one.delayed == len(there) - len(STEM) and one.deleted == 0 and dns(top) == there
        source.start()
        assert top.await_cycle().delayed == 0
        source.stop()
        gone = time.monotonic()
        while dns(top) == there and time.monotonic() < gone + 30:
            time.sleep(0.05)
        assert time.monotonic() - gone >= 3.0
        # what had something below it was refused, and waits for as long again
        top.await_cycle()
        assert AT_TOP in dns(top) and STEM < dns(top) < there and top.cycles()[-1].delayed == len(dns(top) - STEM)


def test_sites_come_and_go_by_the_list_and_lines_that_name_none_are_told(source: Directory, tmp_path: Path) -> None:
    with TopBdii(tmp_path / "top", {}, interval=0.1) as top:
        assert dns(top) == STEM
        top.poll({SITE: f"{source.url}/{BASE}", "NO-PORT": f"ldap://127.0.0.1/{BASE}"})
        cycle = top.await_cycle()
        assert set(cycle.sources) == {SITE} and any("NO-PORT" in error for error in cycle.errors)
        assert AT_TOP in dns(top)


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """Take connections at a port, and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: List[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield listener.getsockname()[1]
        for one in kept:
            one.close()


def test_who_does_not_answer_in_time_gives_nothing_and_holds_up_nobody(source: Directory, tmp_path: Path) -> None:
    with silent() as port:
        sources = {SITE: f"{source.url}/{BASE}", "SILENT": f"ldap://127.0.0.1:{port}/GLUE2DomainID=SILENT,o=glue"}
        with TopBdii(tmp_path / "top", sources, deadline=1.0) as top:
            cycle = top.cycles()[0]
            assert cycle.sources["SILENT"].error == "timed out after 1 s" and cycle.sources[SITE].error is None
            assert AT_TOP in dns(top)
            began = time.monotonic()
            top.stop()
            assert time.monotonic() - began < 5


def test_an_answer_that_is_too_large_gives_nothing(source: Directory, tmp_path: Path) -> None:
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}, limit=1000) as top:
        error = top.cycles()[0].sources[SITE].error
        assert error is not None and error.endswith("bytes are too much") and dns(top) == STEM


def test_a_value_with_the_mark_of_an_entry_costs_what_comes_after_it(source: Directory, tmp_path: Path) -> None:
    """That is why no value of ours has one."""
    location = next(entry.dn for entry in published() if "GLUE2Location" in entry.classes)
    source.replace(location, GLUE2LocationPlace=["see dn: x"], GLUE2LocationCountry=["Czech Republic"])
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}) as top:
        assert top.cycles()[0].errors == ["below no suffix: 'x'"]
        (found,) = top.entries(filter="(objectClass=GLUE2Location)")
        assert found.first("GLUE2LocationPlace") == "see" and found.first("GLUE2LocationCountry") is None


def test_it_begins_with_an_empty_tree_whenever_it_starts(source: Directory, tmp_path: Path) -> None:
    with TopBdii(tmp_path / "top", {SITE: f"{source.url}/{BASE}"}) as top:
        whole = dns(top)
        top.kill()
        top.poll({})
        top.start()
        assert dns(top) == STEM
        top.poll({SITE: f"{source.url}/{BASE}"})
        top.await_cycle()
        assert dns(top) == whole
