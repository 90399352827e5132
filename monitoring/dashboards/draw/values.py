"""Panels that show the newest values: large numbers, arcs, bars and tables."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from matplotlib.patches import Wedge

from monitoring.dashboards.draw.canvas import Box, Canvas, shorten, text_width
from monitoring.dashboards.draw.source import Series
from monitoring.dashboards.draw.spec import Panel, Thresholds
from monitoring.dashboards.draw.theme import NAMED
from monitoring.dashboards.draw.units import write

SIZE = 12.5


def _text(panel: Panel, value: float) -> str:
    """Return a value in words, where it is mapped to some, else as a number with its unit."""
    for mapping in panel.shown.defaults.mappings:
        if found := mapping["options"].get(f"{value:g}"):
            return str(found["text"])
    return write(value, panel.shown.defaults.unit)


def draw_stat(canvas: Canvas, box: Box, panel: Panel, series: Sequence[Series]) -> None:
    """Draw values side by side, as large as fits, over their course."""
    width = box.width / len(series)
    for index, each in enumerate(series):
        part = Box(box.left + index * width, box.top, width, box.height)
        colour = NAMED[panel.shown.defaults.thresholds.colour(each.values[-1])]
        named = panel.options["textMode"] == "value_and_name"
        if panel.options["graphMode"] == "area" and len(each.values) > 1:
            axes = canvas.axes(part.inside(top=part.height * 0.55))
            axes.set_axis_off()
            axes.fill_between(each.times, each.values, color=colour, alpha=0.15, linewidth=0)
            axes.plot(each.times, each.values, color=colour, linewidth=1)
            axes.set_ylim(min(0, *each.values), 1.05 * max([*each.values, 1e-12]))
            axes.margins(x=0)
        words = _text(panel, each.values[-1])
        room = min(0.4 * part.height, 64)
        size = min(room, room * 0.85 * part.width / max(text_width(words, room), 1))
        middle = part.left + part.width / 2
        y = part.top + part.height * (0.56 if named else 0.42)
        canvas.text(middle, y, words, size, colour, ha="center", weight="bold")
        if named:
            canvas.text(middle, part.top + part.height * 0.2, each.name, 14, ha="center")


def draw_gauge(canvas: Canvas, box: Box, panel: Panel, series: Sequence[Series]) -> None:
    """Draw a value on an arc of 220 degrees, with the thresholds' colours outside of it."""
    value, shown = series[0].values[-1], panel.shown.defaults
    low, high = shown.min or 0.0, shown.max or 1.0

    def angle(at: float) -> float:
        return 200 - 220 * float(np.clip((at - low) / (high - low), 0, 1))

    axes = canvas.axes(box.inside(4, 2, 4, 4), aspect="equal")
    axes.set_axis_off()
    axes.set_xlim(-1.15, 1.15)
    axes.set_ylim(-0.5, 1.15)
    colour = NAMED[shown.thresholds.colour(value)]
    axes.add_patch(Wedge((0, 0), 1, angle(high), angle(low), width=0.27, color=canvas.theme.border))
    axes.add_patch(Wedge((0, 0), 1, angle(value), angle(low), width=0.27, color=colour))
    steps = shown.thresholds.steps
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        begin = angle(low if step.value is None else step.value)
        end = angle(high if after is None or after.value is None else after.value)
        axes.add_patch(Wedge((0, 0), 1.09, end, begin, width=0.05, color=NAMED[step.color]))
    size = min(0.24 * box.height, 0.16 * box.width)
    at = (box.left + box.width / 2, box.top + box.height * 0.68)
    canvas.text(*at, write(value, shown.unit), size, colour, ha="center", weight="bold")


def draw_bars(canvas: Canvas, box: Box, panel: Panel, series: Sequence[Series]) -> None:
    """Draw a bar for each value, one below the other, the name above it."""
    shown = panel.shown.defaults
    low, high = shown.min or 0.0, shown.max or 1.0
    inner = box.inside(10, 4, 10, 8)
    pitch = min(inner.height / len(series), 58)
    slim = pitch < 34
    names = min(0.5 * inner.width, max(text_width(each.name, SIZE) for each in series) + 12)
    for index, each in enumerate(series):
        value = each.values[-1]
        colour = NAMED[shown.thresholds.colour(value)]
        top = inner.top + index * pitch
        if slim:  # as Grafana does where there is no room above
            bar = Box(inner.left + names, top + 2, inner.width - names - 62, pitch - 5)
            canvas.text(inner.left, top + pitch / 2, shorten(each.name, SIZE, names - 8), SIZE)
        else:
            bar = Box(inner.left, top + 20, inner.width - 80, pitch - 26)
            canvas.text(inner.left, top + 10, each.name, SIZE)
        canvas.rectangle(bar, canvas.theme.border)
        part = float(np.clip((value - low) / (high - low), 0, 1))
        canvas.rectangle(Box(bar.left, bar.top, max(1.0, bar.width * part), bar.height), colour)
        right, y = inner.left + inner.width, bar.top + bar.height / 2
        canvas.text(right, y, write(value, shown.unit), SIZE + 1, colour, ha="right", weight="bold")


def draw_table(canvas: Canvas, box: Box, panel: Panel, by_query: dict[str, list[Series]]) -> None:
    """Draw a line for each set of labels, a column for each label that is named and each query."""
    organised = next(each["options"] for each in panel.transformations if each["id"] == "organize")
    order: dict[str, int] = organised["indexByName"]
    titles = {name: organised["renameByName"][name] for name in sorted(order, key=order.__getitem__)}
    lines: dict[tuple[str, ...], dict[str, float]] = {}
    labels = [name for name in titles if not name.startswith("Value")]
    for name, found in by_query.items():
        key = f"Value #{name}" if len(by_query) > 1 else "Value"
        for each in found:
            row = tuple(each.labels.get(label, "") for label in labels)
            lines.setdefault(row, {})[key] = each.values[-1]
    width, y = box.width / len(titles), box.top + 12
    for index, title in enumerate(titles.values()):
        x = box.left + 12 + index * width
        canvas.text(x, y, title, SIZE, NAMED["blue"], weight="bold")
    for row, values in sorted(lines.items()):
        y += 28
        canvas.rectangle(Box(box.left + 8, y - 14, box.width - 16, 1), canvas.theme.border)
        for index, (name, title) in enumerate(titles.items()):
            x = box.left + 12 + index * width
            if index < len(labels):
                canvas.text(x, y, shorten(row[index], SIZE, width - 16), SIZE)
            elif name in values:
                shown = panel.shown.overridden("byName", title)
                colour = _threshold_colour(shown["thresholds"], values[name])
                canvas.text(x, y, write(values[name], shown["unit"]), SIZE, colour)


def _threshold_colour(thresholds: dict[str, Any], value: float) -> str:
    return NAMED[msgspec.convert(thresholds, Thresholds).colour(value)]
