"""A whole dashboard as a picture: queries are asked, panels are laid out and drawn."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitoring.dashboards.draw.canvas import Box, Canvas, shorten, text_width
from monitoring.dashboards.draw.heat import draw_heat_map
from monitoring.dashboards.draw.lines import Mark, draw_time_series, looks, without_gaps
from monitoring.dashboards.draw.source import Series, Source
from monitoring.dashboards.draw.spec import Dashboard, Panel, Place
from monitoring.dashboards.draw.theme import NAMED, NO_DATA, Theme
from monitoring.dashboards.draw.values import draw_bars, draw_gauge, draw_stat, draw_table

WIDTH = 1680
# Grafana's grid: lines of 30 pixels with 8 between them.
LINE, GAP, EDGE, HEADER = 38, 8, 16, 84
COLUMN = (WIDTH - 2 * EDGE + GAP) / 24
REPEATED_IN_A_LINE = 4


@dataclass(frozen=True)
class Placed:
    """A panel where it is drawn, with the variables that it is drawn for."""

    panel: Panel
    place: Place
    source: Source


def draw_dashboard(dashboard: Dashboard, source: Source, theme: Theme, file: Path) -> list[str]:
    """Write a PNG; return the panels without data, each as "title: expression"."""
    placed = list(lay_out(dashboard, source))
    bottom = max(each.place.y + each.place.h for each in placed)
    canvas = Canvas(WIDTH, HEADER + bottom * LINE + EDGE, theme)
    _draw_header(canvas, dashboard, source)
    marks = _marks(dashboard, source)
    empty = [missing for each in placed for missing in _draw_panel(canvas, each, marks)]
    canvas.save(file)
    return empty


def lay_out(dashboard: Dashboard, source: Source) -> Iterator[Placed]:
    """Yield all panels; one that is repeated is there for each value of its variable.

    Nothing may stand below a repeated panel, because that would have to move down.
    """
    queries = {each.name: each.query for each in dashboard.templating.list}
    for panel in dashboard.panels:
        values = source.label_values(queries[panel.repeat]) if panel.repeat else []
        if not panel.repeat or not values:
            yield Placed(panel, panel.grid_pos, source)
            continue
        across = min(len(values), REPEATED_IN_A_LINE)
        width, height = 24 // across, panel.grid_pos.h
        for index, value in enumerate(values):
            down, right = divmod(index, across)
            place = Place(right * width, panel.grid_pos.y + down * height, width, height)
            yield Placed(panel, place, source.with_values(**{panel.repeat: value}))


def ask(placed: Placed) -> dict[str, list[Series]]:
    """Return what each query of a panel gives, without moments that have no value."""
    found = {
        target.ref_id: [without_gaps(each) for each in placed.source.series(target)]
        for target in placed.panel.targets
    }
    return {name: [each for each in series if each.values] for name, series in found.items()}


def _draw_panel(canvas: Canvas, placed: Placed, marks: list[Mark]) -> Iterator[str]:
    panel, place = placed.panel, placed.place
    box = Box(
        EDGE + place.x * COLUMN, HEADER + place.y * LINE, place.w * COLUMN - GAP, place.h * LINE - GAP
    )
    title = placed.source.expand(panel.title)
    if panel.type == "row":
        canvas.text(box.left + 4, box.top + box.height / 2 + 2, f"⌄  {title}", 16, weight="bold")
        return
    theme = canvas.theme
    canvas.rectangle(box, theme.panel, theme.border, radius=3)
    canvas.text(box.left + 10, box.top + 16, shorten(title, 14, box.width - 20), 14)
    found = ask(placed)
    inner = box.inside(top=32)
    missing = [target for target in panel.targets if not found[target.ref_id]]
    series = [each for several in found.values() for each in several]
    if not series:
        canvas.text(
            inner.left + inner.width / 2,
            inner.top + inner.height / 2,
            "No data",
            20,
            NO_DATA,
            ha="center",
        )
    elif missing:
        words = "No data: " + ", ".join(target.legend_format or target.ref_id for target in missing)
        room = box.width - 40 - text_width(title, 14)
        words = shorten(words, 11, room)
        canvas.text(box.left + box.width - 10, box.top + 16, words, 11, NO_DATA, ha="right")
    yield from (f"{title}: {target.expr}" for target in missing)
    if series:
        _draw_kind(canvas, inner, placed, found, marks)


def _draw_kind(
    canvas: Canvas, box: Box, placed: Placed, found: dict[str, list[Series]], marks: list[Mark]
) -> None:
    panel, span = placed.panel, (placed.source.start, placed.source.end)
    series = [each for several in found.values() for each in several]
    if panel.type == "timeseries":
        draw_time_series(canvas, box, panel, looks(panel, found), span, marks)
    elif panel.type == "heatmap":
        draw_heat_map(canvas, box, panel, series, span)
    elif panel.type == "table":
        draw_table(canvas, box, panel, found)
    else:
        kinds = {"stat": draw_stat, "gauge": draw_gauge, "bargauge": draw_bars}
        kinds[panel.type](canvas, box, panel, series)


def _draw_header(canvas: Canvas, dashboard: Dashboard, source: Source) -> None:
    canvas.text(EDGE, 24, dashboard.title, 20, weight="bold")
    begin, end = time.localtime(source.start), time.localtime(source.end)
    words = f"{time.strftime('%Y-%m-%d %H:%M:%S', begin)} to {time.strftime('%H:%M:%S', end)}"
    canvas.text(WIDTH - EDGE, 24, words, 13, canvas.theme.faint, ha="right")
    x = float(EDGE)
    for variable in dashboard.templating.list:
        value = source.expand(f"${variable.name}")
        chip = f"{variable.label}:  {'All' if value == '.*' else value}"
        width = text_width(chip, 13) + 20
        canvas.rectangle(Box(x, 44, width, 26), canvas.theme.panel, canvas.theme.border, radius=3)
        canvas.text(x + 10, 57, chip, 13)
        x += width + GAP


def _marks(dashboard: Dashboard, source: Source) -> list[Mark]:
    """Return the moments that annotations tell, within what is shown."""
    found = {
        Mark(value / 1000, NAMED[each["iconColor"]])
        for each in dashboard.annotations.list
        for series in source.annotation(each["expr"])
        for value in series.values
    }
    return sorted(mark for mark in found if source.start <= mark.time <= source.end)
