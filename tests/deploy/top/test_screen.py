"""The screen to the letter at two widths, without colours; what is left where there is little room."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from deploy.top.figures import Drift, Figures
from deploy.top.screen import render, render_problem
from tests.deploy.top.pictures import BUSY, NOTHING, URL, version


def printed(figures: Figures, width: int, height: int | None = None) -> str:
    """Return what a terminal without colours shows."""
    console = Console(width=width, file=io.StringIO())
    console.print(render(figures, width, height))
    return console.file.getvalue()


@pytest.mark.parametrize(("width", "expected"), [(80, "narrow.txt"), (120, "wide.txt")])
def test_screen(width: int, expected: str) -> None:
    """80 columns have what one looks at first, 120 have engines, rows, p50 and features as well."""
    assert printed(BUSY, width) == Path(__file__).with_name(expected).read_text()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 300])
@pytest.mark.parametrize("figures", [BUSY, NOTHING], ids=["busy", "nothing"])
def test_lines_are_as_wide_as_the_frame(figures: Figures, width: int) -> None:
    """Whatever the width and whatever is missing, no line is longer or shorter than its frame."""
    assert {len(line) for line in printed(figures, width).splitlines()} == {min(width, 144)}


def test_missing_metrics() -> None:
    """What Prometheus hasn't got is a dash, or a sentence where it is all of a table."""
    text = printed(NOTHING, 80)
    assert re.search(r"│ —( +—){4} +0 of 0 +│", text)
    for said in ("No version is loaded", "Prometheus looks at no replica", "No alert fires"):
        assert said in text


@pytest.mark.parametrize("width", [80, 120])
def test_fits_the_height(width: int) -> None:
    """Of many replicas and versions as many are there as there is room for, and how many more."""
    many = BUSY.replicas * 16
    crowded = Figures(**{**vars(BUSY), "replicas": many, "versions": BUSY.versions * 3})
    for height in (30, 40):
        text = printed(crowded, width, height)
        assert len(text.splitlines()) == height
        said = re.search(r"… and (\d+) more", text)
        assert said
        shown = len(re.findall(r"^│ replica-\d", text, re.MULTILINE))
        assert shown + int(said[1]) == len(many)
    assert "more" not in printed(BUSY, width, 30)


def test_names_are_no_markup() -> None:
    """Brackets in a name are shown, not obeyed."""
    named = version("[bold]m", "1", drift=Drift("x[3]", 0.1))
    text = printed(Figures(**{**vars(BUSY), "versions": (named,)}), 120)
    assert "│ [bold]m " in text
    assert "0.10 x[3]" in text


def test_curves_give_way_to_rows() -> None:
    """Where a wide terminal is low, its curves are a line each rather than versions left out."""
    low, high = printed(BUSY, 120, 22), printed(BUSY, 120, 23)
    assert (len(low.splitlines()), len(high.splitlines())) == (20, 23)
    assert "more" not in low
    assert high == printed(BUSY, 120)


def test_colours() -> None:
    """A terminal with colours sees errors, alerts and replicas that don't serve in red or yellow."""
    console = Console(width=120, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(render(BUSY, 120))
    text = console.file.getvalue()
    assert re.search(r"\x1b\[1;31m▲ ReplicaDown", text)
    assert re.search(r"\x1b\[31m *1\.3 %", text)
    assert re.search(r"\x1b\[1;31m✗ down", text)
    assert re.search(r"\x1b\[32m● ready", text)


def test_problem() -> None:
    """Instead of figures there is the sentence that says what is wrong."""
    console = Console(width=80, file=io.StringIO())
    console.print(render_problem("Prometheus doesn't answer", URL, 80))
    assert "│ Prometheus doesn't answer " in console.file.getvalue()
    assert URL in console.file.getvalue()
