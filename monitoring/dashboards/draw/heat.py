"""Heat maps of histograms: a line for each bucket, a column for each moment."""

from collections.abc import Sequence

import numpy as np

from monitoring.dashboards.draw.canvas import Box, Canvas
from monitoring.dashboards.draw.lines import draw_time_axis
from monitoring.dashboards.draw.source import Series
from monitoring.dashboards.draw.spec import Panel
from monitoring.dashboards.draw.theme import HEAT
from monitoring.dashboards.draw.units import write


def draw_heat_map(
    canvas: Canvas, box: Box, panel: Panel, series: Sequence[Series], span: tuple[float, float]
) -> None:
    """Draw how many observations were in each bucket; empty ones stay dark.

    Prometheus' buckets hold what is below them as well, so each has the one before taken off, as
    Grafana does.
    """
    buckets = sorted(series, key=lambda each: float(each.labels["le"]))
    times = sorted({time for each in buckets for time in each.times})
    known = [dict(zip(each.times, each.values, strict=True)) for each in buckets]
    counts = np.array([[each.get(time, 0.0) for time in times] for each in known])
    counts = np.clip(np.diff(counts, axis=0, prepend=0), 0, None)
    used = np.flatnonzero(counts.sum(axis=1) > 1e-9)
    first, last = (used[0], used[-1] + 1) if len(used) else (0, len(buckets))
    counts = np.ma.masked_less(counts[first:last], 1e-9)
    axes = canvas.axes(box.inside(left=56, right=8, bottom=24, top=4))
    step = times[1] - times[0] if len(times) > 1 else 1.0
    edges = [time - step / 2 for time in [*times, times[-1] + step]]
    axes.pcolormesh(edges, np.arange(last - first + 1), counts, cmap=HEAT, vmin=0, rasterized=True)
    every = -(-(last - first) // 10)
    shown = range(0, last - first, every)
    names = [
        write(float(buckets[first + row].labels["le"]), panel.shown.defaults.unit) for row in shown
    ]
    axes.set_yticks([row + 1 for row in shown], names)
    draw_time_axis(canvas, axes, span, box.width)
