"""Time series: lines or stacked areas, thresholds, marks of annotations, a legend below."""

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from monitoring.dashboards.draw.canvas import POINTS_PER_PIXEL, Box, Canvas, text_width
from monitoring.dashboards.draw.legend import SIZE, Line, draw_legend, legend_height
from monitoring.dashboards.draw.source import Series
from monitoring.dashboards.draw.spec import Defaults, Panel
from monitoring.dashboards.draw.theme import NAMED, PALETTE
from monitoring.dashboards.draw.units import tick_scale, write

UNDATED_SECONDS = 86400


class Mark(NamedTuple):
    """A moment to be marked, in Unix seconds, and its colour."""

    time: float
    colour: str


def looks(panel: Panel, by_query: dict[str, list[Series]]) -> list[Line]:
    """Return each series with its colour, and dashed where an override of its query says so."""
    lines: list[Line] = []
    for name, found in by_query.items():
        style = panel.shown.overridden("byFrameRefID", name).get("custom.lineStyle", {})
        for each in found:
            colour = PALETTE[len(lines) % len(PALETTE)]
            lines.append(Line(each, colour, style.get("fill") == "dash"))
    return lines


def draw_time_series(
    canvas: Canvas,
    box: Box,
    panel: Panel,
    lines: list[Line],
    span: tuple[float, float],
    marks: list[Mark],
) -> None:
    """Draw the lines from `span[0]` to `span[1]`, in Unix seconds, with vertical `marks`."""
    legend = legend_height(panel, lines, box.width)
    shown = panel.shown.defaults
    stacked = shown.custom.get("stacking", {}).get("mode") == "normal"
    low, high = _limits(lines, shown, stacked)
    ticks = _ticks(low, high, shown.unit)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else None
    labels = [write(tick, shown.unit, step) for tick in ticks]
    margin = max(text_width(label, SIZE) for label in labels) + 8
    axes = canvas.axes(box.inside(left=margin, right=8, bottom=legend + 22, top=4))
    axes.set_ylim(low, high)
    axes.set_yticks(ticks, labels)
    draw_time_axis(canvas, axes, span, box.width)
    axes.grid(color=canvas.theme.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    (_draw_stack if stacked else _draw_lines)(axes, lines, shown)
    if shown.custom.get("thresholdsStyle", {}).get("mode") == "dashed":
        for threshold in shown.thresholds.steps:
            if threshold.value is not None and low <= threshold.value <= high:
                colour = NAMED[threshold.color]
                axes.axhline(
                    threshold.value, color=colour, linewidth=0.9, linestyle=(0, (6, 4)), alpha=0.8
                )
    for mark in marks:
        axes.axvline(mark.time, color=mark.colour, linewidth=0.9, linestyle=(0, (3, 3)))
        axes.plot([mark.time], [low], marker="^", color=mark.colour, markersize=5, clip_on=False)
    draw_legend(canvas, box.inside(left=8, right=8, top=box.height - legend), panel, lines)


def draw_time_axis(canvas: Canvas, axes: Axes, span: tuple[float, float], width: float) -> None:
    """Write times of day below axes whose x are Unix seconds."""
    axes.set_xlim(*span)
    steps = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    room = max(2, int(width // 90))
    step = next((each for each in steps if (span[1] - span[0]) / each <= room), UNDATED_SECONDS)
    # The last label would stand out of the panel.
    end = span[1] - (span[1] - span[0]) * 22 / width
    times = np.arange(np.ceil(span[0] / step) * step, end, step)
    form = "%H:%M:%S" if step < 60 else "%H:%M"
    axes.set_xticks(times, [time.strftime(form, time.localtime(each)) for each in times])
    axes.tick_params(length=0, colors=canvas.theme.faint, labelsize=SIZE * POINTS_PER_PIXEL, pad=3)


def _draw_lines(axes: Axes, lines: list[Line], shown: Defaults) -> None:
    for line in lines:
        values = np.array(line.series.values, dtype=float)
        style: Any = (0, (4, 2.5)) if line.dashed else "solid"
        times = line.series.times
        axes.plot(times, values, color=line.colour, linewidth=1.3, linestyle=style)
        if not line.dashed:
            alpha = shown.custom.get("fillOpacity", 0) / 100
            axes.fill_between(times, values, color=line.colour, alpha=alpha, linewidth=0)


def _draw_stack(axes: Axes, lines: list[Line], shown: Defaults) -> None:
    times, values = _aligned(lines)
    top = np.zeros(len(times))
    for line, each in zip(lines, values, strict=True):
        alpha = shown.custom["fillOpacity"] / 100
        axes.fill_between(times, top, top + each, color=line.colour, alpha=alpha, linewidth=0)
        top = top + each
        axes.plot(times, top, color=line.colour, linewidth=0.9)


def _aligned(lines: list[Line]) -> tuple[list[float], list[Any]]:
    """Return the times of all lines, and each one's values at them: 0 where it has none."""
    times = sorted({moment for line in lines for moment in line.series.times})
    known = [dict(zip(line.series.times, line.series.values, strict=True)) for line in lines]
    return times, [
        np.nan_to_num(np.array([each.get(moment, 0.0) for moment in times])) for each in known
    ]


def _limits(lines: list[Line], shown: Defaults, stacked: bool) -> tuple[float, float]:
    if stacked:
        values = list(sum(_aligned(lines)[1]))
    else:
        values = [value for line in lines for value in line.finite]
    lowest = float(shown.custom.get("axisSoftMin", 0))
    low, high = min([lowest, *values]), max([lowest, *values])
    if high <= low:
        high = low + 1
    room = 0.08 * (high - low)
    high = shown.max if shown.max is not None else high + room
    return low - (room if low < lowest else 0.0), high * (1.0 if shown.max is None else 1.02)


def _ticks(low: float, high: float, unit: str) -> list[float]:
    scale = tick_scale([low, high], unit)
    found = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low / scale, high / scale)
    return [float(tick * scale) for tick in found if low <= tick * scale <= high]


def without_gaps(series: Series) -> Series:
    """Return a series without the moments at which it has no value."""
    kept = [(t, v) for t, v in zip(series.times, series.values, strict=True) if np.isfinite(v)]
    return replace(series, times=[t for t, _ in kept], values=[v for _, v in kept])
