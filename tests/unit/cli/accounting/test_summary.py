from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import update

from fedcloud_agent.accounting.summary import BY
from fedcloud_agent.accounting.tables import vm
from fedcloud_agent.cli.accounting.summary import _BY
from fedcloud_agent.clock import DAY, HOUR
from tests.unit.accounting.test_measurement import at
from tests.unit.accounting.world import Life
from tests.unit.cli.accounting.conftest import Site


@pytest.fixture
def busy(site: Site) -> Site:
    """Two machines through three months, the newest record of one of them not sent."""
    site.world.lives += [
        Life("vm-1", at("2026-01-20"), at("2026-02-10"), [(0, 2)]),
        Life("vm-2", at("2026-01-30"), None, [(0, 4)]),
    ]
    site.pass_to("2026-03-02")
    site.pass_to("2026-03-05", sending=False)
    return site


def test_the_table_is_what_the_portal_shows(busy: Site) -> None:
    code, out, _ = busy.run("summary")
    heading, *rows = ([cell.strip() for cell in line.split("  ") if cell.strip()] for line in out.splitlines())
    assert code == 0
    assert heading == [
        *(
            "MONTH",
            "VO",
            "VMS",
            "WALL H",
            "ELAPSED X CPUS H",
            "CPU H",
            "CPUS",
            "MEMORY GB",
            "DISK GB",
            "IN GB",
            "OUT GB",
        ),
        "ELAPSED X CPUS H, ALL ARRIVED",
    ]
    assert [row[:8] for row in rows] == [
        ["2026-01", "vo.example.org", "2", "336.00", "768.00", "768.00", "6", "2.0"],
        ["2026-02", "vo.example.org", "2", "888.00", "3120.00", "3120.00", "6", "2.0"],
        ["2026-03", "vo.example.org", "1", "24.00", "96.00", "96.00", "4", "1.0"],
    ]
    assert [row[-1] for row in rows] == ["same", "same", "384.00"]
    theirs = busy.agent.way.repository.summarise(busy.world.now)
    for row, month in zip(rows, (1, 2, 3)):
        of = [one for one in theirs if one.month == month]
        assert float(row[3]) * HOUR == sum(one.wall or 0 for one in of) and int(row[2]) == sum(one.vms for one in of)
        assert float(row[4]) * HOUR == sum((one.wall or 0) * one.cpu_count for one in of)


def test_months_clouds_and_destinations_are_chosen(busy: Site) -> None:
    lines = json.loads(busy.run("summary", "--from", "2026-02", "--to", "2026-02", "--json")[1])
    (line,) = lines
    assert (line["month"], line["shown"]["wall_seconds"]) == ("2026-02", 37 * DAY), "counted from January's record"
    assert line["shown"] == line["once_all_arrived"] and line["shown"]["elapsed_processor_seconds"] == 130 * DAY
    assert json.loads(busy.run("summary", "--cloud", "other", "--json")[1]) == []
    assert len(json.loads(busy.run("summary", "--cloud", "main", "--destination", "central", "--json")[1])) == 3
    code, _, err = busy.run("summary", "--destination", "elsewhere")
    assert code == 2 and "there are: central" in err
    code, _, err = busy.run("summary", "--from", "January")
    assert code == 2 and "expected YYYY-MM" in err


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("cpus", ["2", "4"]),
        ("status", ["completed", "started"]),
        ("user", ["/DC=org/DC=example/CN=Jane Doe"]),
        ("image", ["image"]),
        ("site", ["TEST-SITE"]),
        ("service", ["cloud.example.org"]),
        ("cloud", ["main"]),
    ],
)
def test_sums_are_told_apart_by(busy: Site, by: str, labels: list) -> None:  # type: ignore[type-arg]
    lines = json.loads(busy.run("summary", "--from", "2026-02", "--to", "2026-02", "--by", by, "--json")[1])
    assert [line[by] for line in lines] == labels
    assert sum(line["shown"]["wall_seconds"] for line in lines) == 37 * DAY


def test_what_help_offers_is_what_there_is() -> None:
    assert set(BY) == set(_BY)


def test_csv_goes_into_a_file_or_out(busy: Site, tmp_path: Path) -> None:
    file = tmp_path / "sums.csv"
    assert busy.run("summary", "--csv", str(file)) == (0, "", "")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["month"] for row in rows] == ["2026-01", "2026-02", "2026-03"]
    assert rows[2]["elapsed_processor_hours"] == "96.0000"
    assert rows[2]["elapsed_processor_hours_once_all_arrived"] == "384.0000"
    assert busy.run("summary", "--csv", "-")[1] == file.read_text()
    assert busy.run("summary", "--csv", "-", "--json")[0] == 2
    assert busy.run("summary", "--csv", str(tmp_path / "nowhere" / "x.csv"))[0] == 73


def test_a_chart_is_drawn(busy: Site, tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    assert busy.run("summary", "--plot", str(file)) == (0, "", "")
    words = [element.text for element in ElementTree.parse(file).iter("{http://www.w3.org/2000/svg}text")]
    assert words[:2] == [
        "EXAMPLE-SITE: elapsed time x processors by VO",
        "As central has acknowledged it, 2026-01 to 2026-03, on 2026-03-05 00:00:00 UTC",
    ]
    assert {"hours", "Jan", "Mar", "2026", "vo.example.org", "not acknowledged yet"} <= set(words)


def test_a_chart_that_cannot_be_drawn(busy: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = busy.run("summary", "--plot", str(tmp_path / "chart.pdf"))
    assert code == 2 and "name a file that ends in .svg or .png" in err
    code, _, err = busy.run("summary", "--plot", str(tmp_path / "chart.svg"), "--from", "2030-01")
    assert code == 2 and "there is nothing to draw" in err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    code, _, err = busy.run("summary", "--plot", str(tmp_path / "chart.png"))
    assert code == 2 and "matplotlib is not installed" in err and "python3-matplotlib" in err
    assert list(tmp_path.glob("chart.*")) == []


def test_a_png_where_matplotlib_is_installed(busy: Site, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "chart.png"
    assert busy.run("summary", "--plot", str(file)) == (0, "", "")
    assert file.read_bytes().startswith(b"\x89PNG\r\n")


def test_sums_stay_when_machines_are_let_go(busy: Site) -> None:
    busy.agent.send()
    before = busy.run("summary", "--json")
    with busy.agent.store.write() as connection:
        connection.execute(update(vm).where(vm.c.uuid == "vm-1").values(uuid="ab-1"))
    assert busy.agent.let_go(at("2026-03-01")) == 1
    assert busy.run("summary", "--json") == before
    assert [line["image"] for line in json.loads(busy.run("summary", "--by", "image", "--json")[1])] == [
        *("(let go)", "image", "(let go)", "image", "image")
    ]
    code, _, err = busy.run("explain", "AB-1")
    assert code == 2 and "machine AB-1 of cloud main ended so long ago that the ledger let it go" in err


def test_of_an_empty_ledger_there_is_nothing_to_tell(site: Site) -> None:
    assert site.run("summary", "--json") == (0, "[]\n", "")
