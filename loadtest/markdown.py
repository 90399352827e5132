"""Markdown that commands write: tables, text that may hold anything, and what stands between two marks.

Called by the benchmark and by the reports of studies.
"""

import re
from collections.abc import Sequence
from pathlib import Path

Rows = Sequence[tuple[str, ...]]

_MEANS_SOMETHING = re.compile(r"([\\`*_\[\]|])")


class NoPlaceError(Exception):
    """The file lacks the two marks."""


def markdown_table(head: tuple[str, ...], rows: Rows) -> str:
    """Return one table, the first column left and the others right."""
    rule = ("---", *["---:"] * (len(head) - 1))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def literal(text: str) -> str:
    """Return a text as it is to be read: nothing in it is Markdown or HTML, and it is one line."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return _MEANS_SOMETHING.sub(r"\\\1", line)


def write_between(file: Path, begin: str, end: str, text: str) -> None:
    """Replace what stands between the two marks; raise `NoPlaceError` where they aren't both there."""
    before, found, rest = file.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise NoPlaceError(f"{file}: expected the two lines {begin} and {end}")
    file.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
