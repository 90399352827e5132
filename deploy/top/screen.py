"""The screen of `flotilla top`: figures and a size come in, something that rich prints goes out.

Pure functions. 80 columns have what one looks at first, 120 have the rest. Nothing is said by
colours alone.
"""

import time
from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.top.cells import number, percent, seconds
from deploy.top.charts import curve, largest
from deploy.top.columns import WIDE
from deploy.top.figures import Alert, Curves, Figures
from deploy.top.tables import CACHE_LOOKS, error_style, replicas_table, versions_table

# Narrower ones are cut off; wider ones would pull names and numbers apart.
NARROWEST, WIDEST = 60, 144
SEVERITY_STYLES = {"critical": "bold red", "warning": "bold yellow"}
FRAME_AND_SPACE = 4
TALL_CURVE_LINES = 3
# Lines besides the tables' rows: the head, with low curves or with tall ones, and the frames and
# headings of both tables.
LINES, TALL_LINES = 8 + 6, 11 + 6
FEWEST_ROWS = 3


def render(figures: Figures, width: int, height: int | None = None) -> RenderableType:
    """Return the screen for `width` columns; for `height` lines, where it must fit, with fewer rows."""
    width = min(max(width, NARROWEST), WIDEST)
    versions, replicas = len(figures.versions), len(figures.replicas)
    tall = width >= WIDE
    if height is not None:
        tall = tall and height >= TALL_LINES + versions + replicas
        room = height - (TALL_LINES if tall else LINES)
        replicas = min(replicas, max(FEWEST_ROWS, room - versions))
        versions = min(versions, max(FEWEST_ROWS, room - replicas))
    inner = width - FRAME_AND_SPACE
    blank = Text()
    when = time.strftime("%H:%M:%S", time.localtime(figures.at))
    head = Group(
        _tiles(figures),
        blank,
        _curves(figures.curves, inner, tall),
        *([blank] if tall else []),
        _alerts(figures.alerts),
    )
    return Group(
        _framed("Flotilla", f"{when} · {figures.url}", head, width),
        _framed("Models", _legend(), versions_table(figures.versions, versions, width), width),
        _framed("Replicas", "", replicas_table(figures.replicas, replicas, width), width),
    )


def render_problem(problem: str, url: str, width: int) -> RenderableType:
    """Return what stands there instead while there are no figures."""
    text = Text.assemble((problem, "bold red"), ("\nIt is asked again and again; q ends.", "dim"))
    return _framed("Flotilla", url, text, min(max(width, NARROWEST), WIDEST))


def _framed(title: str, corner: str | Text, content: RenderableType, width: int) -> Panel:
    return Panel(
        content,
        title=Text(title, "bold not dim"),
        title_align="left",
        subtitle=Text(corner, "dim") if isinstance(corner, str) else corner,
        subtitle_align="right",
        border_style="dim",
        box=box.ROUNDED,
        width=width,
    )


def _tiles(figures: Figures) -> Table:
    """Return the figures of the whole, each over what it is."""
    ready, up, known = figures.replicas_ready, figures.replicas_up, figures.replicas_known
    door = figures.counted_at == "door"
    tiles = [
        (number(figures.requests_per_second), f"req/s at {'the door' if door else 'replicas'}", ""),
        (percent(figures.error_ratio), "errors", error_style(figures.error_ratio)),
        (seconds(figures.p50_seconds), "p50", ""),
        (seconds(figures.p99_seconds), "p99", ""),
        (percent(figures.edge_share), "from edge", ""),
        (f"{ready} of {known}", "ready" if up == known else f"ready, {up} up", _ready(ready, known)),
    ]
    table = Table.grid(expand=True)
    for ratio in (5, 3, 3, 3, 3, 4):
        table.add_column(ratio=ratio, no_wrap=True)
    table.add_row(*(Text(value, f"bold {style}") for value, _, style in tiles))
    table.add_row(*(Text(caption, "dim") for _, caption, _ in tiles))
    return table


def _ready(ready: int, known: int) -> str:
    return "green" if ready == known > 0 else "red"


def _curves(curves: Curves, width: int, tall: bool) -> Table:
    """Return the curves of the last minutes: a line each, or side by side and taller."""
    both = [
        ("req/s", curves.requests_per_second, number, "cyan"),
        ("p99", curves.p99_seconds, seconds, "magenta"),
    ]
    table = Table.grid(expand=True)
    if tall:
        columns = (width - 4) // 2
        table = Table.grid(padding=(0, 4, 0, 0))
        pictures, captions = [], []
        for name, values, words, style in both:
            minutes = min(columns, len(values)) * curves.step_seconds / 60
            said = f"{name}, up to {words(largest(values, columns))} in {minutes:.0f} min"
            lines = curve(values, columns, TALL_CURVE_LINES)
            pictures.append(Text("\n".join(lines), style, no_wrap=True))
            captions.append(Text(said, "dim"))
        table.add_row(*pictures)
        table.add_row(*captions)
        return table
    for name, values, words, style in both:
        columns = width - 18
        said = f"max {words(largest(values, columns))}"
        picture = Text(curve(values, columns)[0], style, no_wrap=True)
        table.add_row(Text(f"{name:<6}", "dim"), picture, Text(said.rjust(12), "dim"))
    return table


def _alerts(alerts: Sequence[Alert]) -> Text:
    """Return the alerts that fire, in a line."""
    if not alerts:
        return Text("No alert fires.", "dim")
    text = Text(no_wrap=True, overflow="ellipsis")
    for each in alerts:
        times = f" ({each.count})" if each.count > 1 else ""
        text.append(f"▲ {each.name}", SEVERITY_STYLES.get(each.severity, "bold"))
        text.append(f" {each.severity}{times}   ", "dim")
    return text


def _legend() -> Text:
    text = Text()
    for name, (character, style) in CACHE_LOOKS.items():
        text.append(f" {character}", f"{style} not dim").append(f" {name} ", "dim")
    return text
