"""The README's figures: between two marks, and nowhere else."""

from pathlib import Path

import pytest

from loadtest.bench.processes import ROOT
from loadtest.bench.readme import BEGIN, END, write_readme
from loadtest.markdown import NoPlaceError
from tests.loadtest.bench.reports import report


def test_figures_replace_what_was_there(tmp_path: Path) -> None:
    """The text around the marks stays, the one between them becomes the report's, also again."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        write_readme(report(), readme, "bench.png")
    text = readme.read_text()
    assert max(map(len, text.splitlines())) <= 104
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "old" not in text
    assert text.count("| digits: unique rows | 7.00k | 100 | 70 | 0.5 | 0.10 |") == 1
    assert "(bench.png)" in text
    words = " ".join(text.split())
    assert "p99 3.0 ms" in words
    assert "81 MB" in words
    assert "commit abc1234" in words


def test_a_latency_that_does_not_count_is_not_quoted(tmp_path: Path) -> None:
    """Where the rate wasn't held the README says so instead of a figure."""
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}")
    write_readme(report(held=900.0), readme, "bench.png")
    words = " ".join(readme.read_text().split())
    assert "p99 3.0 ms" not in words
    assert "didn't hold the rate" in words


def test_a_readme_without_marks_is_left_alone(tmp_path: Path) -> None:
    """Nothing is overwritten where the place isn't marked."""
    readme = tmp_path / "README.md"
    readme.write_text(f"text\n{BEGIN}\n")
    with pytest.raises(NoPlaceError, match="end of figures"):
        write_readme(report(), readme, "bench.png")
    assert readme.read_text() == f"text\n{BEGIN}\n"


def test_our_readme_has_the_marks() -> None:
    """`make bench-readme` finds its place."""
    text = (ROOT / "README.md").read_text()
    assert text.count(BEGIN) == text.count(END) == 1
