"""The comparison as a page with a plot, and as a table; it comes in as `comparison.py` made it."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from deploy.top.cells import NOTHING, number, seconds
from loadtest.markdown import literal, markdown_table
from loadtest.report.change import SMALLEST, Kind
from loadtest.report.comparison import PEAK, Comparison
from loadtest.report.page import render
from loadtest.report.plot import BLUE, GRID, GROUND, ORANGE, QUIET, Plot, legend, rate_axis
from loadtest.report.tables import Table, spread
from loadtest.study.figures import Figure as Median
from loadtest.study.figures import runs_for

PAGE = "comparison.html"
NOTE = (
    "Medians of the repetitions, ±: half the distance from the lowest to the highest. A change is the "
    "ratio of the geometric means, with its 95 % interval by Welch's t on logarithms. The rate within "
    "the objective was searched for in steps: its interval reaches to the next rate that was tried. "
    f"Less than {100 * SMALLEST:g} % is never called a change: another start of the code makes that."
)


def changes_table(comparison: Comparison) -> Table:
    """Return a line for each figure of each step that both studies have."""
    head = ("replicas", "figure", comparison.before.name, comparison.after.name, "change")
    rows = [
        (
            f"{each.replicas}",
            each.name,
            _cell(each.before, each.kind),
            _cell(each.after, each.kind),
            each.text,
        )
        for each in comparison.changes
    ]
    return Table("Changes", head, rows, NOTE)


def markdown(comparison: Comparison) -> str:
    """Return the comparison in Markdown, for a pull request."""
    table = changes_table(comparison)
    head, *rows = (tuple(map(literal, cells)) for cells in (table.head, *table.rows))
    said = [comparison.verdict, *(f"Not comparable: {each}." for each in comparison.incomparable)]
    return "\n\n".join([*map(literal, said), markdown_table(head, rows), table.note])


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write the page into the folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / PAGE
    file.write_text(
        render(
            "comparison.html",
            it=comparison,
            changes=changes_table(comparison),
            plots=[_plot(comparison)] if comparison.told else [],
        )
    )
    return file


def _plot(comparison: Comparison) -> Plot:
    peaks = [each for each in comparison.changes if each.name == PEAK and each.ratio]

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        looks = ((comparison.before, BLUE, "o"), (comparison.after, ORANGE, "s"))
        for study, colour, marker in looks:
            points = [
                (step.replicas, run.achieved) for step in study.steps for run in runs_for(step, "peak")
            ]
            above.scatter(
                *zip(*points, strict=True), marker=marker, facecolor=GROUND, edgecolor=colour, zorder=3
            )
        for values, (study, colour, marker) in zip(("before", "after"), looks, strict=True):
            medians: Any = [getattr(each, values).median for each in peaks]
            counts = [each.replicas for each in peaks]
            above.plot(counts, medians, color=colour, marker=marker, markersize=4, label=study.name)
        above.set_ylim(bottom=0)
        above.set_ylabel("right replies a second")
        rate_axis(above.yaxis)
        below.axhspan(-100 * SMALLEST, 100 * SMALLEST, color=GRID, linewidth=0)
        below.axhline(0, color=QUIET, linewidth=1)
        for each in peaks:
            assert each.ratio
            value, low, high = (100 * (part - 1) for part in each.ratio)
            below.errorbar(
                [each.replicas],
                [value],
                [[value - low], [high - value]],
                fmt=marker,
                color=ORANGE,
                capsize=4,
            )
        below.set_xticks([each.replicas for each in peaks])
        below.set_xlabel("replicas")
        below.set_ylabel("change, %")
        legend(figure)

    return Plot(
        "comparison",
        "Peak of both studies, and the change",
        "Closed loop. Above: hollow each repetition, the line through their medians. Below: the change "
        "of the peak with its 95 % interval; within the grey band nothing is called a change.",
        draw,
        (8.0, 5.2),
    )


def _cell(figure: Median | None, kind: Kind) -> str:
    if figure is None:
        return NOTHING
    write = number if kind == "rate" else seconds
    return f"{write(figure.median)} ± {spread(figure)}"
