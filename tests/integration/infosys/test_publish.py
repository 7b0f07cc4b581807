"""What is offered reaches the readers: bit by bit, or by a new load; never by halves, and never what is doubted."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Iterator

import pytest

from fedcloud_agent.cli.main import main
from fedcloud_agent.clouds.contract import Problem
from fedcloud_agent.clouds.offer import Share
from fedcloud_agent.infosys.differences import GRACE, SETTLING
from fedcloud_agent.infosys.entry import IN_ORDER
from fedcloud_agent.ldap import Change, Delete, Modify
from tests.federation.top import TopBdii
from tests.integration.infosys.published import Published, published
from tests.integration.infosys.serve.agent import DOMAIN, Serve, eventually
from tests.unit.infosys.world import OFFER, with_first

IMAGE = "GLUE2ApplicationEnvironment"


@pytest.fixture()
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    with published(monkeypatch) as one:
        yield one


def test_a_round_without_changes_writes_nothing(site: Published) -> None:
    before = {one.dn: one for one in site.serve.tree()}
    site.now += 60
    told = site.publish()
    assert (told["added"], told["modified"], told["deleted"], told["renewed"]) == (0, 0, 0, 0)
    assert {one.dn: one for one in site.serve.tree()} == before
    assert site.type("diff").code == 0


def test_what_came_with_a_load_is_named_at_once_and_stays_named(site: Published) -> None:
    before = {one.dn: one for one in site.serve.tree()}
    assert any("GLUE2ShareResourceForeignKey" in one.attributes for one in before.values())
    site.now += 1
    site.serve.configure(description="The settings changed, so that the whole tree is looked at")
    assert site.publish()["modified"] == 1
    after = {one.dn: one for one in site.serve.tree()}
    assert {dn for dn in after if after[dn] != before[dn]} == {DOMAIN}


def test_what_changed_is_modified_in_place_and_keeps_its_order(site: Published) -> None:
    load = site.serve.serving.load
    site.now += 60
    told = site.publish(endpoints=with_first(OFFER.endpoints, version="v2.2", health="warning"))
    assert told["modified"] == 1 and site.serve.serving.load == load
    door = site.endpoint()
    assert door.first("GLUE2EndpointInterfaceVersion") == "v2.2" and door.first("GLUE2EndpointHealthState") == "warning"
    assert [name for name in door.attributes if name in IN_ORDER] == list(IN_ORDER)


def test_what_comes_is_there_at_once_and_what_goes_a_generation_later(site: Published) -> None:
    site.now += 60
    more = (*OFFER.instance_types, dataclasses.replace(OFFER.instance_types[0], id="new"))
    assert site.publish(instance_types=more)["added"] == 1
    site.now += SETTLING
    assert site.publish(instance_types=more)["modified"] == 2  # the shares that see it
    site.now += 60
    assert site.publish()["deleted"] == 0
    assert len(site.entries("GLUE2ExecutionEnvironment")) == 3
    site.now += GRACE
    assert site.publish()["deleted"] == 1
    assert len(site.entries("GLUE2ExecutionEnvironment")) == 2
    assert site.type("diff").code == 0


def test_a_new_vo_comes_with_a_new_load(site: Published) -> None:
    load = site.serve.serving.load
    site.now += 60
    site.publish(shares=(*OFFER.shares, Share("new.example.org", "p-new")))
    assert site.serve.serving.load != load
    assert len(site.entries("GLUE2Share")) == 3 == len(site.entries("GLUE2MappingPolicy"))


def test_a_doubted_answer_changes_nothing_until_it_is_accepted(site: Published) -> None:
    site.now += 60
    doubted = site.try_publishing(images=())
    assert doubted.code == 65 and "images are gone at once" in doubted.err and "--accept-loss main" in doubted.err
    assert len(site.entries(IMAGE)) == 2 and site.endpoint().first("GLUE2EndpointHealthState") == "ok"
    site.now += 60
    assert site.try_publishing(images=()).code == 65
    door = site.endpoint()
    assert door.first("GLUE2EndpointHealthState") == "unknown" and "not read since" in str(door.attributes)
    # closed rather than a lie, when nothing could be believed for too long
    site.now += 86400
    assert site.try_publishing(images=()).code == 65
    assert site.endpoint().first("GLUE2EndpointServingState") == "closed"
    created = {one.first("GLUE2EntityCreationTime") for one in site.entries(IMAGE)}
    site.now += 60
    told = site.publish("--accept-loss", "main", images=())
    assert told["clouds"] == {"main": None}
    door = site.endpoint()
    assert door.first("GLUE2EndpointServingState") == "production" and door.first("GLUE2EndpointHealthState") == "ok"
    assert created == {one.first("GLUE2EntityCreationTime") for one in site.entries(IMAGE)}
    site.now += GRACE
    site.publish(images=())
    assert site.entries(IMAGE) == []


def test_a_share_that_a_troubled_cloud_does_not_tell_of_stays(site: Published) -> None:
    site.now += 60
    done = site.try_publishing(shares=OFFER.shares[:1], problems=(Problem("project p-vo", "no answer"),))
    assert done.code == 65 and "vo.example.org" in done.err
    assert len(site.entries("GLUE2Share")) == 2


def test_what_breaks_a_rule_is_set_aside_and_named_each_time(site: Published) -> None:
    for wait in (60, 60):
        site.now += wait
        told = site.publish(instance_types=with_first(OFFER.instance_types, memory=None))
        assert [dn.partition(",")[0] for dn in told["aside"]] == ["GLUE2ResourceID=ks.example.org_main_type_1"]
    site.now += GRACE
    site.publish(instance_types=with_first(OFFER.instance_types, memory=None))
    assert len(site.entries("GLUE2ExecutionEnvironment")) == 1


def test_what_somebody_else_did_to_the_server_is_undone(site: Published) -> None:
    image = site.entries(IMAGE)[0].dn
    door = site.endpoint().dn
    with site.serve.writer() as directory:
        assert not directory.phase([Delete(image)])
    assert site.type("diff").code == 65
    site.now += 60
    assert site.publish("--verify")["repaired"] == 1
    with site.serve.writer() as directory:
        assert not directory.phase([Modify(door, (Change("GLUE2EndpointServingState", ("closed",)),))])
    # nobody looks within the hour, and then everybody does
    site.now += 60
    assert site.publish()["repaired"] == 0
    site.now += 3600
    assert site.publish()["repaired"] >= 1
    assert site.type("diff").code == 0


def test_a_server_that_was_killed_is_verified_when_it_is_back(site: Published) -> None:
    pid = site.serve.serving.pid
    os.kill(pid, signal.SIGKILL)
    site.now += 60
    told = site.publish(endpoints=with_first(OFFER.endpoints, health="warning"))
    assert site.serve.serving.pid != pid and "verify" in told["seconds"]
    assert site.endpoint().first("GLUE2EndpointHealthState") == "warning"


def test_without_a_server_the_tree_is_written_down_and_reaches_the_next_one(
    site: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedcloud_agent.infosys.publication.PATIENCE", 0.5)
    site.serve.stop()
    site.now += 60
    done = site.try_publishing(endpoints=with_first(OFFER.endpoints, health="warning"))
    assert done.code == 69 and "written down" in done.err and "infosys serve" in done.err
    site.serve.start()
    site.now += 60
    told = site.publish(endpoints=with_first(OFFER.endpoints, health="warning"))
    assert "verify" in told["seconds"] and site.endpoint().first("GLUE2EndpointHealthState") == "warning"


def test_a_damaged_tree_is_put_aside_and_a_damaged_picture_stops(site: Published) -> None:
    room = site.serve.state / "infosys"
    (room / "tree.sqlite").write_bytes(b"nothing of the kind" * 1000)
    site.now += 60
    site.publish()
    assert (room / "tree.damaged").exists() and site.type("diff").code == 0
    (room / "picture.json").write_text("{}")
    done = site.try_publishing()
    assert done.code == 74 and "picture.json" in done.err
    (room / "picture.json").unlink()
    site.publish()


def test_a_downtime_is_announced_and_closes_and_passes(site: Published) -> None:
    site.serve.configure(
        downtimes={"switches": {"start": "2026-11-22T16:00Z", "end": "2026-11-22T18:00Z", "info": "New switches"}}
    )
    site.publish()
    door = site.endpoint()
    assert door.first("GLUE2EndpointServingState") == "production"
    assert door.first("GLUE2EndpointDowntimeStart") == "2026-11-22T16:00:00Z"
    assert door.first("GLUE2EndpointDowntimeInfo") == "New switches"
    site.now += 3 * 3600
    site.publish()
    assert site.endpoint().first("GLUE2EndpointServingState") == "closed"
    site.now += 2 * 3600
    site.publish()
    assert site.endpoint().first("GLUE2EndpointServingState") == "production"
    site.now += 8 * 86400
    site.publish()
    assert site.endpoint().first("GLUE2EndpointDowntimeStart") is None


def test_documents_are_written_and_the_statistics_are_touched(site: Published, tmp_path: Path) -> None:
    site.serve.configure(documents={"web": {"type": "directory", "path": str(tmp_path)}})
    site.publish()
    document = json.loads((tmp_path / "main.json").read_text())
    assert [one["ID"] for one in document["CloudComputingImage"]] == ["img-1", "img-2"]
    with site.serve.anonymous() as directory:
        (figures,) = directory.search("o=infosys", scope="onelevel")
    assert figures.attributes["TotalEntries"] == (str(len(site.serve.tree())),)
    site.serve.configure(documents={"web": {"type": "directory", "path": str(tmp_path / "none")}})
    done = site.try_publishing()
    assert done.code == 73 and "documents web" in done.err
    assert len(site.serve.tree()) == int(figures.attributes["TotalEntries"][0])


def test_status_tells_whether_the_tree_is_served(site: Published, capsys: pytest.CaptureFixture[str]) -> None:
    configured = ["--config", str(site.serve.directory / "etc"), "status"]
    main(configured)
    said = capsys.readouterr().out
    assert f"served on port {site.serve.port}" in said and f"(process {site.serve.serving.pid})" in said
    assert "infosys" in said and "31 entries" in said
    site.serve.stop()
    assert main([*configured, "--json"]) == 75
    assert json.loads(capsys.readouterr().out)["infosys"]["pid"] is None


def test_a_person_can_look_at_it(site: Published) -> None:
    shown = site.type("show")
    assert shown.code == 0 and "https://ks.example.org:5000/v3" in shown.out and "ops, vo.example.org" in shown.out
    assert json.loads(site.type("show", "--format", "json").out)[0]["dn"] == "o=glue"
    assert site.type("show", "--format", "ldif", "--base", DOMAIN).out.startswith(f"dn: {DOMAIN}\n")
    dry = site.try_publishing("--dry-run", endpoints=with_first(OFFER.endpoints, health="warning"))
    assert dry.code == 0 and json.loads(dry.out)["changes"][0]["what"] == "modify"
    assert site.endpoint().first("GLUE2EndpointHealthState") == "ok"
    assert site.type("publish", "--accept-loss", "other").code == 2
    assert site.type("show", "--url", "http://127.0.0.1").code == 2
    assert site.type("show", "--base", "GLUE2DomainID=OTHER,o=glue").code == 65


def test_it_is_checked_from_outside_as_a_top_reads_it(site: Published) -> None:
    site.serve.configure(host="127.0.0.1")
    site.publish()
    done = site.type("check", "--from-outside")
    assert done.code == 0, done
    assert f"to register in GOCDB as GIIS URL: ldap://127.0.0.1:{site.serve.port}/{DOMAIN}" in done.err
    assert "0 errors" in done.out and f"read {len(site.serve.tree()) - 2} entries" in done.err
    site.serve.configure(host="no.such.host.example.org")
    assert site.type("check", "--from-outside").code == 69
    assert site.type("check", "--from-outside", "--cloud", "main").code == 2


def test_what_differs_is_shown_by_entry_and_attribute(site: Published) -> None:
    image, door = site.entries(IMAGE)[0].dn, site.endpoint().dn
    with site.serve.writer() as directory:
        closed = Change("GLUE2EndpointServingState", ("closed",))
        assert not directory.phase([Delete(image), Modify(door, (closed,))])
    done = site.type("diff")
    assert done.code == 65 and f"- {image}" in done.out and f"~ {door}" in done.out
    assert "    - GLUE2EndpointServingState: production" in done.out
    assert "    + GLUE2EndpointServingState: closed" in done.out
    assert {one["mark"] for one in json.loads(site.type("diff", "--json").out)} == {"-", "~"}
    assert site.type("diff", "--base", "GLUE2GroupID=resource,o=glue").code == 0


def test_a_top_reads_it_and_the_difference_is_nothing(site: Published, tmp_path: Path) -> None:
    url = f"ldap://127.0.0.1:{site.serve.port}/{DOMAIN}"
    with TopBdii(tmp_path, {"EXAMPLE-SITE": url}, images=True) as top:
        top.await_cycle()
        base = DOMAIN.replace(",o=glue", ",GLUE2GroupID=grid,o=glue")
        assert site.type("diff", "--url", top.url, "--base", base).code == 0
        site.now += 60
        site.publish(endpoints=with_first(OFFER.endpoints, health="warning"))
        top.await_cycle()
        assert site.type("diff", "--url", top.url, "--base", base).code == 0


def test_the_first_publication_waits_for_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    serve = Serve(contact="support@example.org", listen=["127.0.0.1"])
    try:
        monkeypatch.setattr("fedcloud_agent.infosys.publication.PATIENCE", 0.5)
        serve.configure()
        one = Published(serve, monkeypatch)
        assert one.try_publishing().code == 69
        serve.start()
        eventually(serve.answers)
        assert one.publish()["added"] == 0
    finally:
        serve.close()
