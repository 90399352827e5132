"""A plot: what to draw comes in, SVG for the page and a PNG go out; both are the same in every run.

Colours are Okabe and Ito's, which most eyes can tell apart (https://jfly.uni-koeln.de/color/), and
markers differ as well. In the page each colour becomes a CSS variable, for a light and a dark scheme.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from deploy.top.cells import seconds

TEXT, QUIET, GRID, GROUND = "#0e2433", "#4d6373", "#d2dee6", "#fefefe"
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
)
VARIABLES = {
    TEXT: "text",
    QUIET: "quiet",
    GRID: "line",
    GROUND: "panel",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    RED: "red",
    PURPLE: "purple",
    SKY: "sky",
}
DOTS_PER_INCH = 150
STYLE: Any = {  # matplotlib types each name of a setting
    "svg.fonttype": "path",  # it looks the same wherever it is opened
    "text.parse_math": False,  # a name with two dollar signs is a name
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.titlecolor": TEXT,
    "axes.titlesize": 9,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
}
_INCHES = re.compile(r'<svg .*?viewBox="([^"]+)".*?>', re.DOTALL)
_ID = re.compile(r'(\bid="|xlink:href="#|url\(#)')


@dataclass(frozen=True)
class Plot:
    """A plot and what is to be said of it; `name` is unique in a page, and its file's."""

    name: str
    title: str
    caption: str
    draw: Callable[[Figure], None]
    inches: tuple[float, float] = (8.0, 4.5)

    def png(self) -> bytes:
        """Return it as a PNG on white."""
        return self._picture("png", dpi=DOTS_PER_INCH, facecolor="white", metadata={"Software": None})

    def svg(self) -> Markup:
        """Return it as an SVG element to stand in a page: it names nothing outside."""
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        text = self._picture("svg", transparent=True, metadata=nothing).decode()
        view = _INCHES.search(text)
        assert view
        inside = _ID.sub(rf"\g<1>{self.name}-", text[view.end() :])
        inside = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", inside, flags=re.DOTALL)
        for colour, variable in VARIABLES.items():
            inside = inside.replace(colour, f"var(--{variable})")
        # What matplotlib escapes (names within ids and comments) stays escaped; the title is ours.
        return Markup('<svg viewBox="{}" role="img" aria-label="{}">').format(
            view[1], self.title
        ) + Markup(inside)  # noqa: S704  # matplotlib's own markup, text in it is outlines

    def _picture(self, kind: str, **options: Any) -> bytes:
        with self._style():
            content = io.BytesIO()
            self._figure.savefig(content, format=kind, **options)
        return content.getvalue()

    @cached_property
    def _figure(self) -> Figure:
        """Draw it, once for both kinds of picture."""
        figure = Figure(figsize=self.inches, layout="constrained")
        figure.suptitle(self.title, x=0.01, ha="left")
        self.draw(figure)
        return figure

    @contextmanager
    def _style(self) -> Iterator[None]:
        with mpl.rc_context(STYLE | {"svg.hashsalt": self.name}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")  # a name's character that it can't draw
            yield


def seconds_axis(axis: Any) -> None:
    """Write durations at the ticks of a logarithmic axis: 500 µs, 20 ms, 1 s."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: seconds(value).replace(".0 ", " ")))
    axis.set_minor_formatter(NullFormatter())


def rate_axis(axis: Any) -> None:
    """Write whole numbers with commas at the ticks, from 0."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def legend(figure: Figure, columns: int = 4) -> None:
    """Write one legend under all axes, each label once."""
    found: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=columns)
