"""Pictures made of block characters: numbers come in, lines of text go out, `screen` calls.

They can be read without colours: each part of a bar has a character of its own.
"""

from collections.abc import Sequence

from rich.text import Text

EIGHTHS = " ▁▂▃▄▅▆▇█"


def curve(values: Sequence[float | None], width: int, height: int = 1) -> list[str]:
    """Return lines, top first, of the last `width` values as columns between 0 and their maximum.

    A value above 0 shows at least an eighth; one that is None shows nothing.
    """
    shown = values[-width:]
    top = max((each for each in shown if each is not None), default=0.0)
    levels = [_eighths(each, top, height) for each in shown]
    lines = []
    for line in reversed(range(height)):
        cells = [EIGHTHS[min(8, max(0, level - 8 * line))] for level in levels]
        lines.append("".join(cells).rjust(width))
    return lines


def largest(values: Sequence[float | None], width: int) -> float | None:
    """Return the maximum of what `curve` shows."""
    return max((each for each in values[-width:] if each is not None), default=None)


def bar(shares: Sequence[float], looks: Sequence[tuple[str, str]], width: int) -> Text:
    """Return shares that sum to 1 as `width` cells, each part with its (character, style).

    Cells are given by largest remainder, so that they are `width` in all.
    """
    exact = [share * width for share in shares]
    cells = [int(each) for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: cells[n] - exact[n])
    for place in by_remainder[: width - sum(cells)]:
        cells[place] += 1
    text = Text()
    for count, (character, style) in zip(cells, looks, strict=True):
        text.append(character * count, style)
    return text


def _eighths(value: float | None, top: float, height: int) -> int:
    if value is None or value <= 0 or not top:
        return 0
    return max(1, round(value / top * 8 * height))
