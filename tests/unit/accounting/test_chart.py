from __future__ import annotations

from xml.etree import ElementTree

import pytest

from fedcloud_agent.accounting.chart import COLOURS, COMING, REST, Chart, labels, layers, number, svg, ticks

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("top", [0.0, 0.3, 1.0, 6.0, 7.0, 59.0, 111_000.0, 2.4e7])
def test_ticks_are_few_round_and_reach_the_top(top: float) -> None:
    scale = ticks(top)
    assert scale[0] == 0 and scale[-1] >= top and 2 <= len(scale) <= 8
    assert top == 0 or scale[-1] < 2 * top


def test_numbers_are_read_at_a_glance() -> None:
    assert [number(value) for value in (0, 0.5, 1500, 120_000, 2e7)] == [
        *("0", "0.5", "1\u2009500", "120\u2009000", "20\u2009000\u2009000")
    ]


def test_labels_never_crowd() -> None:
    assert labels(["2025-12", "2026-01", "2026-02"], 20) == [("Dec", "2025"), ("Jan", "2026"), ("Feb", "")]
    many = [f"{2020 + month // 12}-{month % 12 + 1:02d}" for month in range(60)]
    assert sum(bool(month) for month, _ in labels(many, 20)) == 20


def test_the_largest_lie_below_and_the_small_are_one() -> None:
    values = [("2026-01", f"vo-{size:02d}", float(size), float(size)) for size in range(1, 13)]
    found = layers(["2026-01"], [*values, ("2026-01", "vo-12", 0.0, 5.0)])
    assert [layer.name for layer in found] == [*(f"vo-{size:02d}" for size in range(12, 6, -1)), REST, COMING]
    assert found[-2].values == (21.0,) and found[-1].values == (5.0,)
    assert len({layer.colour for layer in found}) == len(found)
    few = layers(["2026-01"], values[: len(COLOURS)])
    assert [layer.colour for layer in few] == list(COLOURS)


def test_bars_are_as_tall_as_their_values_and_stand_on_each_other() -> None:
    values = [("2026-01", "a", 30.0, 30.0), ("2026-01", "b", 10.0, 10.0), ("2026-02", "a", 20.0, 20.0)]
    bars = ("2026-01", "2026-02")
    chart = Chart("<title>", "a & b", "hours", bars, layers(bars, values))
    root = ElementTree.fromstring(svg(chart))
    told = {}
    for rectangle in root.iter(f"{SVG}rect"):
        title = rectangle.find(f"{SVG}title")
        if title is not None and title.text:
            told[title.text] = (float(rectangle.attrib["y"]), float(rectangle.attrib["height"]))
    first, second, third = told["2026-01, a: 30.0"], told["2026-01, b: 10.0"], told["2026-02, a: 20.0"]
    assert len(told) == 3
    assert first[1] == pytest.approx(3 * second[1], abs=0.3) and third[1] == pytest.approx(2 * second[1], abs=0.3)
    assert second[0] + second[1] == pytest.approx(first[0], abs=0.2)
    assert [text.text for text in root.iter(f"{SVG}text")][:2] == ["<title>", "a & b"]
