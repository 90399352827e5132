"""The tables: figures, spreads, failures and targets, in Markdown and within 80 columns."""

import io

from rich.console import Console

from loadtest.bench.table import for_terminal, markdown
from tests.loadtest.bench.reports import report


def test_markdown_has_every_figure() -> None:
    """Rows with their spread and ratios, arrivals, targets, tiers and the machine."""
    text = markdown(report())
    assert "| Flotilla | 7.00k | 6.00k-8.00k | 70.00 | 0.500 | 2.0 | 0 |" in text
    assert "| Flotilla | 1.00k | 1.00k | 1.00 | 3.00 | 9.00 | 0 |" in text
    assert "| digits: unique rows, x FastAPI | >= 3.5 | 70 | yes |" in text
    assert "redis 990, miss 10" in text
    assert "cpu Abacus" in text
    assert "FAILED" not in text


def test_markdown_marks_what_does_not_count() -> None:
    """Failed requests, missed targets and latencies at a rate that wasn't held show."""
    text = markdown(report(failed=3, held=900.0, flotilla=0.4))
    assert "| 3 FAILED |" in text
    assert "| Flotilla | 1.00k | 900 | refused | refused | refused | 0 |" in text
    assert "| digits: repeats, x return 200 | >= 0.4 | 0.2 | NO |" in text


def test_terminal_shows_whole_cells() -> None:
    """In 80 columns nothing is cut off."""
    console = Console(width=80, file=io.StringIO())
    console.print(for_terminal(report()))
    text = console.file.getvalue()
    assert "…" not in text
    assert "6.00k-8.00k" in text
