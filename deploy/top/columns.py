"""Columns: how a row of figures becomes a line of a table, at two widths; `tables` has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.table import Table
from rich.text import Text

from deploy.top.figures import ReplicaFigures, VersionFigures

WIDE = 120

Row = TypeVar("Row", VersionFigures, ReplicaFigures)


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A heading, how a cell is written, and in which of the two widths the column is there."""

    heading: str
    write: Callable[[Row], str | Text]
    narrow: bool = True
    wide: bool = True
    left: bool = False


def make_table(
    columns: Sequence[Column[Row]], rows: Sequence[Row], most: int, width: int, nothing: str
) -> Table:
    """Return at most so many of the rows as a table, or `nothing` where there are none."""
    wide = width >= WIDE
    columns = [each for each in columns if (each.wide if wide else each.narrow)]
    if not rows:
        table = Table.grid()
        table.add_row(Text(nothing, "dim"))
        return table
    gap = 2 if wide else 1
    table = Table(box=None, expand=True, padding=(0, 0, 0, gap), pad_edge=False, header_style="dim")
    for each in columns:
        table.add_column(
            each.heading,
            justify="left" if each.left else "right",
            no_wrap=True,
            overflow="ellipsis",
        )
    shown = rows if len(rows) <= most else rows[: most - 1]
    for row in shown:
        cells = (each.write(row) for each in columns)
        # A bare text would be read for rich's markup, and a name may have brackets.
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
    if len(shown) < len(rows):
        table.add_row(Text(f"… and {len(rows) - len(shown)} more", "dim"))
    return table
