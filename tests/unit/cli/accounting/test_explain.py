from __future__ import annotations

import dataclasses
import json
from typing import List

from sqlalchemy import update

from fedcloud_agent.accounting.settings import BASELINE, FirstRun
from fedcloud_agent.accounting.tables import record, vm
from fedcloud_agent.clock import HOUR
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.world import Life
from tests.unit.cli.accounting.conftest import CONFIGURATION, Site


def said(site: Site, *words: str) -> List[str]:
    code, out, err = site.run("explain", *words)
    assert (code, err) == (0, "")
    return out.splitlines()


def row(lines: List[str], begin: str, after: str) -> List[str]:
    """Return the cells of the line that begins with some word, of the first table after a heading."""
    start = next(number for number, line in enumerate(lines) if line.startswith(after))
    line = next(line for line in lines[start:] if line.strip().startswith(begin))
    return [cell.strip() for cell in line.strip().split("  ") if cell.strip()]


def test_a_life_from_the_cloud_to_the_portal(site: Site) -> None:
    site.world.lives.append(Life("vm-1", at("2026-01-20"), at("2026-02-10 12:00:00"), [(0, 2)]))
    site.pass_to("2026-01-30")
    site.pass_to("2026-02-11")
    lines = said(site, "vm-1")
    assert lines[0] == "name of vm-1  vm-1"
    assert "  status    completed (the cloud's word: DELETED)" in lines
    assert "  life      2026-01-20 00:00:00 UTC to 2026-02-10 12:00:00 UTC, ran 516.00 h" in lines
    assert "  owner     /DC=org/DC=example/CN=Jane Doe (user u1, project g1)" in lines
    assert "  ! It has ended, and its last record was made." in lines
    acknowledged = "acknowledged 2026-02-11 00:00:00 UTC by broker-1:6162"
    assert row(lines, "2026-01", "Records for central") == [
        *("2026-01", "started", "2026-01-31 23:59:59 UTC", "288.00", "576.00", acknowledged)
    ]
    assert row(lines, "2026-02", "Records for central")[1:5] == [
        *("completed", "2026-02-10 12:00:00 UTC", "516.00", "1032.00")
    ]
    under = "vo.example.org, /DC=org/DC=example/CN=Jane Doe, image"
    assert row(lines, "2026-01", "The portal") == [
        *("2026-01", "288.00", "2", "576.00", "576.00", f"started, {under}", "frozen")
    ]
    assert row(lines, "2026-02", "The portal") == [
        *("2026-02", "228.00", "2", "456.00", "456.00", f"completed, {under}", "open")
    ]
    repository = site.agent.way.repository
    assert [usage.wall for usage in repository.usage().values()] == [288 * HOUR, 228 * HOUR]


def test_where_records_are(site: Site) -> None:
    site.world.lives.append(Life("vm-1", at("2026-01-20"), None, [(0, 1)]))
    site.pass_to("2026-01-21", sending=False)
    assert row(said(site, "vm-1"), "2026-01", "Records")[-1] == "waits to be sent"
    assert row(said(site, "vm-1"), "2026-01", "The portal") == ["2026-01", "-", "-", "-", "-", "nothing yet"]
    site.agent.way.breaks, site.agent.way.answer_lost = 0, True
    site.pass_to("2026-01-22")
    site.pass_to("2026-01-23", sending=False)
    where = row(said(site, "vm-1"), "2026-01", "Records")[-1]
    assert where.startswith("in message ") and where.endswith(
        "since 2026-01-22 00:00:00 UTC, first sent 2026-01-22 00:00:00 UTC; a newer one waits for its answer"
    )
    site.agent.way.breaks = None
    site.agent.send()
    site.pass_to("2026-01-24", sending=False)
    lines = said(site, "vm-1")
    where = row(lines, "2026-01", "Records")[-1]
    assert where == "waits to be sent; before that acknowledged 2026-01-23 00:00:00 UTC by broker-1:6162"
    assert row(lines, "2026-01", "The portal")[1] == "72.00" and row(lines, "96.00", "The portal")[-1] == (
        "once the rest has arrived"
    )
    with site.agent.store.write() as connection:
        connection.execute(update(record).values(pending=0, rejected="Disk is -1, out of range"))
    assert "set aside: Disk is -1, out of range" in row(said(site, "vm-1"), "2026-01", "Records")[-1]


def test_a_late_end_is_explained(site: Site) -> None:
    site.world.lives.append(Life("vm-1", at("2026-01-20"), at("2026-01-31 12:00:00"), [(0, 2)]))
    site.pass_to("2026-01-31 10:00:00")
    site.pass_to("2026-02-03 10:00:00")
    (remark,) = (line for line in said(site, "vm-1") if "told as" in line)
    assert "Its end is told as 'started', dated to the end: 2026-01 was published so" in remark


def test_why_something_is_missing(site: Site) -> None:
    world = site.world
    world.lives += [
        Life("vm-gone", at("2026-01-20"), None, [(0, 1)], purged=at("2026-01-22")),
        Life("vm-here", at("2026-01-20"), None, [(0, 1)]),
    ]
    site.pass_to("2026-01-21")
    site.pass_to("2026-01-22 12:00:00")
    (doubt,) = (line for line in said(site, "vm-gone") if "In doubt" in line)
    assert "In doubt since 2026-01-22 12:00:00 UTC: 1 full listing in a row did not show it." in doubt
    assert "reported up to 2026-01-21 00:00:00 UTC" in doubt
    with site.agent.store.write() as connection:
        connection.execute(update(vm).where(vm.c.uuid == "vm-here").values(start=None, vo="none"))
        connection.execute(record.delete())
    lines = said(site, "vm-here")
    assert "  ! It was never started: there is nothing to account." in lines
    assert any("Project g1 has no VO" in line for line in lines)


def test_before_the_first_run_and_before_the_baseline(site: Site) -> None:
    site.world.lives += [
        Life("vm-old", at("2026-01-02"), at("2026-01-20"), [(0, 1)]),
        Life("vm-across", at("2026-01-02"), None, [(0, 1)]),
    ]
    site.agent.settings = dataclasses.replace(site.agent.settings, first_run=None)
    site.pass_to("2026-02-03", sending=False)
    lines = said(site, "vm-old")
    assert any("No record was made yet: the first ones are made after a listing" in line for line in lines)
    (site.etc / "agent.yaml").write_text(CONFIGURATION.format(state=site.state, first_run="null"))
    assert any("accounting.first_run is not set" in line for line in said(site, "vm-old"))
    baseline = FirstRun(BASELINE, at("2026-02-01"))
    site.agent.settings = dataclasses.replace(site.agent.settings, first_run=baseline)
    site.pass_to("2026-02-04")
    (before,) = (line for line in said(site, "vm-old") if "baseline" in line)
    assert before == "  ! It ended before the baseline of 2026-02-01 00:00:00 UTC: a former tool reported it."
    lines = said(site, "vm-across")
    assert any("What it used before the baseline of 2026-02-01" in line for line in lines)
    assert row(lines, "2026-02", "The portal")[1] == "72.00"


def test_who_is_meant(site: Site) -> None:
    begin = at("2026-01-20")
    one = "https://one.example.org:2633/compute/4711 2026-01-20 00:00:00+00:00"
    site.world.lives += [Life(uuid, begin, None, [(0, 1)]) for uuid in ("ab12-cd", "ab13-ef", "ab12", one, "x_y")]
    site.pass_to("2026-01-21")
    for words, uuid in (
        ("ab12", "ab12"),
        ("AB13", "ab13-ef"),
        ("4711", one),
        ("name of ab13-ef", "ab13-ef"),
        ("ab12-", "ab12-cd"),
        ("x_", "x_y"),
    ):
        assert said(site, words)[0] == f"name of {uuid}  {uuid}", words
    code, _, err = site.run("explain", "ab")
    assert code == 2 and "'ab' may be any of these machines:" in err
    assert all(f"  {uuid}  name of {uuid} of main, started, 2026-01-20" in err for uuid in ("ab12", "ab12-cd"))
    for words in ("nothing", "%", "_", ""):
        code, _, err = site.run("explain", words)
        assert code == 2 and f"the ledger knows no machine {words!r}" in err


def test_json_and_one_destination(site: Site) -> None:
    site.world.lives.append(Life("vm-1", at("2026-01-20"), None, [(at("2026-01-20"), 1), (at("2026-01-25"), 4)]))
    site.pass_to("2026-01-21")
    site.pass_to("2026-01-30")
    code, out, _ = site.run("explain", "vm-1", "--json", "--destination", "central")
    told = json.loads(out)
    assert code == 0 and told["machine"]["sizes"] == [[at("2026-01-20"), 1], [at("2026-01-25"), 4]]
    (month,) = told["destinations"]["central"]["months"]
    assert (month["month"], month["frozen"], month["where"]["acknowledged"]) == ("2026-01", False, at("2026-01-30"))
    assert month["shown"]["keys"]["cpu_count"] == 4 and month["shown"] == month["shown_once_all_arrived"]
    assert month["shown"]["cpu"] == 5 * 24 * HOUR + 5 * 24 * HOUR * 4
    code, _, err = site.run("explain", "vm-1", "--destination", "elsewhere")
    assert code == 2 and "no destination is called 'elsewhere'" in err and "there are: central" in err
