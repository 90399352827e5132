"""The legend below a time series: names and colours, as a list or as a table with calculated values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from monitoring.dashboards.draw.canvas import Box, Canvas, shorten, text_width
from monitoring.dashboards.draw.source import Series
from monitoring.dashboards.draw.spec import Panel
from monitoring.dashboards.draw.theme import NAMED
from monitoring.dashboards.draw.units import write

SIZE = 11.5
LINE_HEIGHT = 18
# Grafana's has a scroll bar; here the rest is counted.
LEGEND_LINES = 5
COLUMN = 84
CALCULATIONS: dict[str, tuple[str, Callable[[list[float]], float]]] = {
    "mean": ("Mean", fmean),
    "max": ("Max", max),
    "lastNotNull": ("Last", lambda values: values[-1]),
}


@dataclass(frozen=True)
class Line:
    """A series with its looks."""

    series: Series
    colour: str
    dashed: bool

    @property
    def finite(self) -> list[float]:
        """Its values, without gaps."""
        return [value for value in self.series.values if np.isfinite(value)]


def _columns(panel: Panel) -> Sequence[str]:
    calculations: Sequence[str] = panel.options.get("legend", {}).get("calcs", [])
    return calculations


def _wrapped(lines: list[Line], width: float) -> list[list[Line]]:
    """Return the lines of a legend, each as the series that fit in it."""
    rows: list[list[Line]] = [[]]
    used = 0.0
    for line in lines:
        needed = text_width(line.series.name, SIZE) + 34
        if rows[-1] and used + needed > width:
            rows.append([])
            used = 0.0
        rows[-1].append(line)
        used += needed
    return rows


def legend_height(panel: Panel, lines: list[Line], width: float) -> float:
    """Return how many pixels the legend takes below a graph that is so wide."""
    if _columns(panel):
        return (min(len(lines), LEGEND_LINES) + 1) * LINE_HEIGHT
    return min(len(_wrapped(lines, width - 16)), LEGEND_LINES) * LINE_HEIGHT


def draw_legend(canvas: Canvas, box: Box, panel: Panel, lines: list[Line]) -> None:
    """Draw the legend: names one after the other, or a table of names and calculated values."""
    columns = _columns(panel)
    rows = [[line] for line in lines] if columns else _wrapped(lines, box.width)
    y = box.top + LINE_HEIGHT / 2
    if columns:
        for index, name in enumerate(reversed(columns)):
            x = box.left + box.width - index * COLUMN
            canvas.text(x, y, CALCULATIONS[name][0], SIZE, NAMED["blue"], ha="right")
        y += LINE_HEIGHT
    for number, row in enumerate(rows[:LEGEND_LINES]):
        x = box.left
        if number == LEGEND_LINES - 1 and len(rows) > LEGEND_LINES:
            left_out = sum(map(len, rows[number:]))
            canvas.text(x, y, f"… and {left_out} more", SIZE, canvas.theme.faint)
            break
        for line in row:
            canvas.line(x, y, x + 14, line.colour, 3, line.dashed)
            name = shorten(line.series.name, SIZE, box.width - 20 - COLUMN * len(columns))
            canvas.text(x + 19, y, name, SIZE)
            x += text_width(name, SIZE) + 34
        for index, calculation in enumerate(reversed(columns)):
            values = row[0].finite
            text = (
                write(CALCULATIONS[calculation][1](values), panel.shown.defaults.unit)
                if values
                else "-"
            )
            canvas.text(box.left + box.width - index * COLUMN, y, text, SIZE, ha="right")
        y += LINE_HEIGHT
