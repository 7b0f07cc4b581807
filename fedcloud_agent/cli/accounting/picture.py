"""A chart as PNG, where matplotlib is installed."""

from __future__ import annotations

import io

from fedcloud_agent.accounting.chart import COMING, Chart, labels, number, ticks
from fedcloud_agent.errors import UsageError

_GREY = "#555555"


def png(chart: Chart) -> bytes:
    """Return the chart as a PNG image. Raises UsageError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "matplotlib is not installed, which draws PNG",
            hint="install the package python3-matplotlib, or name a file that ends in .svg: that needs nothing",
        ) from error
    figure = Figure(figsize=(9.6, 5.4), dpi=150)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.09, right=0.76, top=0.84, bottom=0.12)
    axes = figure.add_subplot()
    places = list(range(len(chart.bars)))
    below = [0.0] * len(places)
    for layer in chart.layers:
        coming = layer.name == COMING
        drawn = [place for place in places if layer.values[place] > 0]
        axes.bar(
            drawn,
            [layer.values[place] for place in drawn],
            bottom=[below[place] for place in drawn],
            width=0.72,
            color=layer.colour,
            label=layer.name,
            edgecolor=_GREY if coming else "white",
            linestyle="--" if coming else "-",
            linewidth=0.6,
        )
        below = [low + max(0.0, value) for low, value in zip(below, layer.values)]
    scale = ticks(max(below, default=0.0))
    axes.set_yticks(scale, [number(value) for value in scale])
    axes.set_xticks(places, ["\n".join(words) for words in labels(chart.bars, 20)])
    axes.set_xlim(-0.6, len(places) - 0.4)
    axes.set_ylim(0, scale[-1] * 1.02)
    axes.tick_params(colors=_GREY, length=0, labelsize=9)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    figure.text(0.02, 0.94, chart.title, fontsize=14, fontweight="bold", color="#222222")
    figure.text(0.02, 0.895, chart.subtitle, fontsize=9.5, color=_GREY)
    figure.text(0.02, 0.855, chart.unit, fontsize=9, color=_GREY)
    handles, names = axes.get_legend_handles_labels()
    # in the order in which the layers lie, the top first
    axes.legend(handles[::-1], names[::-1], loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
