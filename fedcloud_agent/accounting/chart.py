"""A chart of months as stacked bars, drawn as SVG: text, so that it needs no library.

Colours are those of Okabe and Ito, which people tell apart whatever colours they see.
"""

from __future__ import annotations

import math
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple
from xml.sax.saxutils import escape

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
REST_COLOUR = "#8C8C8C"
REST = "others"
COMING_COLOUR = "#FFFFFF"
COMING = "not acknowledged yet"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WIDTH, _HEIGHT = 960, 540
_LEFT, _TOP, _BOTTOM = 84, 76, 64
_LEGEND = 230
_FONT = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
_GREY = "#555555"


class Series(NamedTuple):
    """One layer of the bars: its name, its colour, and a value for each bar."""

    name: str
    colour: str
    values: Tuple[float, ...]


class Chart(NamedTuple):
    """What is drawn. ``unit`` stands at the axis, ``bars`` are months as YYYY-MM."""

    title: str
    subtitle: str
    unit: str
    bars: Tuple[str, ...]
    layers: Tuple[Series, ...]
    """From the bottom to the top."""


def layers(bars: Sequence[str], values: Sequence[Tuple[str, str, float, float]]) -> Tuple[Series, ...]:
    """Return the layers of a chart from (bar, name, value now, value then): the largest names first, the small as one.

    What is still to come is one layer on top.
    """
    totals: Dict[str, float] = {}
    for _, name, now, then in values:
        totals[name] = totals.get(name, 0.0) + max(now, then)
    names = sorted(totals, key=lambda name: (-totals[name], name))
    if len(names) > len(COLOURS):
        names = names[: len(COLOURS) - 1]
    shown = {name: [0.0] * len(bars) for name in [*names, REST]}
    coming = [0.0] * len(bars)
    index = {bar: number for number, bar in enumerate(bars)}
    for bar, name, now, then in values:
        shown[name if name in shown else REST][index[bar]] += now
        coming[index[bar]] += max(0.0, then - now)
    found = [Series(name, COLOURS[number], tuple(shown[name])) for number, name in enumerate(names)]
    if len(names) < len(totals):
        found.append(Series(REST, REST_COLOUR, tuple(shown[REST])))
    if any(coming):
        found.append(Series(COMING, COMING_COLOUR, tuple(coming)))
    return tuple(found)


def ticks(top: float) -> List[float]:
    """Return round values from 0 to at least ``top``, four to seven of them."""
    if top <= 0:
        return [0.0, 1.0]
    step = 10 ** math.floor(math.log10(top))
    for part in (0.2, 0.5, 1, 2):
        if top / (step * part) <= 6:
            step *= part
            break
    return [number * step for number in range(math.ceil(top / step - 1e-9) + 1)]


def number(value: float) -> str:
    """Return a value for an axis: thousands apart by a thin space, no needless decimals."""
    return f"{value:,.6g}".replace(",", "\u2009") if value < 1e6 else f"{value:,.0f}".replace(",", "\u2009")


def labels(bars: Sequence[str], room: int) -> List[Tuple[str, str]]:
    """Return (month, year) for each bar: the year where it begins, nothing where more than ``room`` would be shown."""
    step = max(1, math.ceil(len(bars) / room))
    found, before = [], ""
    for index, bar in enumerate(bars):
        if index % step:
            found.append(("", ""))
            continue
        year, _, month = bar.partition("-")
        found.append((_MONTHS[int(month) - 1], year if year != before else ""))
        before = year
    return found


def svg(chart: Chart) -> str:
    """Return the chart as an SVG document."""
    return "\n".join(_document(chart)) + "\n"


def _document(chart: Chart) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" {_FONT}>'
    )
    yield f"<title>{escape(chart.title)}</title>"
    yield f"<desc>{escape(chart.subtitle)}</desc>"
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#FFFFFF"/>'
    yield f'<text x="24" y="34" font-size="19" font-weight="bold" fill="#222222">{escape(chart.title)}</text>'
    yield f'<text x="24" y="56" font-size="13" fill="{_GREY}">{escape(chart.subtitle)}</text>'
    sums = [sum(max(0.0, layer.values[bar]) for layer in chart.layers) for bar in range(len(chart.bars))]
    scale = ticks(max(sums, default=0.0))
    floor, right = _HEIGHT - _BOTTOM, _WIDTH - _LEGEND
    tall = (floor - _TOP - 18) / scale[-1]
    yield f'<text x="24" y="{_TOP + 2}" font-size="12" fill="{_GREY}">{escape(chart.unit)}</text>'
    for value in scale:
        y = floor - value * tall
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#DDDDDD" stroke-width="1"/>'
        yield (
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" font-size="12" text-anchor="end" fill="{_GREY}">'
            f"{number(value)}</text>"
        )
    yield from _bars(chart, floor, right, tall)
    yield f'<line x1="{_LEFT}" y1="{floor}" x2="{right}" y2="{floor}" stroke="#222222" stroke-width="1"/>'
    yield from _legend(chart, right)
    yield "</svg>"


def _bars(chart: Chart, floor: float, right: float, tall: float) -> Iterator[str]:
    step = (right - _LEFT) / max(1, len(chart.bars))
    wide = min(64.0, step * 0.72)
    named = labels(chart.bars, int((right - _LEFT) // 32))
    for index, bar in enumerate(chart.bars):
        x, y = _LEFT + step * (index + 0.5) - wide / 2, floor
        for layer in chart.layers:
            height = max(0.0, layer.values[index]) * tall
            if height <= 0:
                continue
            y -= height
            yield (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height:.1f}" fill="{layer.colour}" '
                f"{_edge(layer)}><title>{escape(f'{bar}, {layer.name}: {layer.values[index]:.1f}')}</title></rect>"
            )
        for down, words in zip((20, 36), named[index]):
            if words:
                yield (
                    f'<text x="{x + wide / 2:.1f}" y="{floor + down}" font-size="12" text-anchor="middle" '
                    f'fill="{_GREY}">{words}</text>'
                )


def _edge(layer: Series) -> str:
    if layer.name == COMING:
        return f'stroke="{_GREY}" stroke-width="1" stroke-dasharray="4 3"'
    return 'stroke="#FFFFFF" stroke-width="0.8"'


def _legend(chart: Chart, right: float) -> Iterator[str]:
    """Name the layers in the order in which they lie, the top first."""
    for row, layer in enumerate(reversed(chart.layers)):
        y = _TOP + 18 + row * 24
        yield (
            f'<rect x="{right + 22}" y="{y}" width="14" height="14" fill="{layer.colour}" {_edge(layer)}/>'
            f'<text x="{right + 44}" y="{y + 12}" font-size="13" fill="#222222">{escape(_short(layer.name))}</text>'
        )


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:11]}…{name[-12:]}"
