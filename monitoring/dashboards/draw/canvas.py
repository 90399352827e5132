"""A page to draw on, in pixels from its top left corner, as browsers count."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from monitoring.dashboards.draw.theme import Theme

DOTS_PER_PIXEL = 1.25
POINTS_PER_PIXEL = 0.72  # at 100 pixels an inch


@dataclass(frozen=True)
class Box:
    """A rectangle on the page."""

    left: float
    top: float
    width: float
    height: float

    def inside(self, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> "Box":
        """Return what is left within margins."""
        width, height = self.width - left - right, self.height - top - bottom
        return Box(self.left + left, self.top + top, max(width, 1.0), max(height, 1.0))


class Canvas:
    """A picture of `width` by `height` pixels."""

    def __init__(self, width: int, height: int, theme: Theme) -> None:
        self.width, self.height, self.theme = width, height, theme
        self._figure = Figure(figsize=(width / 100, height / 100), facecolor=theme.page)
        FigureCanvasAgg(self._figure)

    def save(self, file: Path) -> None:
        """Write a PNG."""
        self._figure.savefig(file, dpi=100 * DOTS_PER_PIXEL)

    def axes(self, box: Box, **options: Any) -> Axes:
        """Return axes that fill a box, without frame and background."""
        axes: Axes = self._figure.add_axes(self._fractions(box), **options)
        axes.set_facecolor("none")
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def text(
        self, x: float, y: float, words: str, size: float = 12, colour: str = "", **options: Any
    ) -> None:
        """Write one line; `y` is its middle."""
        self._figure.text(
            x / self.width,
            1 - y / self.height,
            words.replace("$", r"\$"),  # not a formula
            fontsize=size * POINTS_PER_PIXEL,
            color=colour or self.theme.text,
            va="center",
            **options,
        )

    def rectangle(self, box: Box, colour: str, edge: str = "none", radius: float = 0) -> None:
        """Fill a rectangle, with rounded corners where a radius is given."""
        place = (box.left, self.height - box.top - box.height)
        options: dict[str, Any] = {
            "facecolor": colour,
            "edgecolor": edge,
            "linewidth": POINTS_PER_PIXEL,
        }
        options["transform"] = self._pixels()
        options["zorder"] = -1  # below all axes
        if radius:
            style = f"round,pad=0,rounding_size={radius}"
            patch: Any = FancyBboxPatch(place, box.width, box.height, boxstyle=style, **options)
        else:
            patch = Rectangle(place, box.width, box.height, **options)
        self._figure.add_artist(patch)

    def line(self, x: float, y: float, to: float, colour: str, width: float, dashed: bool) -> None:
        """Draw a horizontal line."""
        height = self.height - y
        style: Any = (0, (2.5, 1.5)) if dashed else "solid"
        self._figure.add_artist(
            Line2D(
                [x, to],
                [height, height],
                color=colour,
                linewidth=width * POINTS_PER_PIXEL,
                linestyle=style,
                transform=self._pixels(),
            )
        )

    def _pixels(self) -> Any:
        return Affine2D().scale(1 / self.width, 1 / self.height) + self._figure.transFigure

    def _fractions(self, box: Box) -> tuple[float, float, float, float]:
        bottom = 1 - (box.top + box.height) / self.height
        return box.left / self.width, bottom, box.width / self.width, box.height / self.height


def text_width(words: str, size: float) -> float:
    """Return how wide a line of text is, in pixels."""
    if not words.strip():
        return 0.3 * size * len(words)
    return float(TextPath((0, 0), words.replace("$", r"\$"), size=size).get_extents().x1)


def shorten(words: str, size: float, width: float) -> str:
    """Return as much of a text as fits, with an ellipsis where some is missing."""
    if text_width(words, size) <= width:
        return words
    while words and text_width(words + "…", size) > width:
        words = words[:-1]
    return words + "…"
