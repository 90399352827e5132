"""Two plots of latency, both of open loops: against replicas, and against the rate of arrivals."""

from collections import defaultdict
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from loadtest.histogram import Histogram
from loadtest.law.verdict import so_many
from loadtest.report.headline import objective
from loadtest.report.plot import (
    BLUE,
    GROUND,
    ORANGE,
    QUIET,
    RED,
    SKY,
    Plot,
    legend,
    rate_axis,
    seconds_axis,
)
from loadtest.report.steps import measured
from loadtest.study.study import Run, Settings, Study

# Share of the requests, its name, colour, marker.
PERCENTILES = (
    (0.5, "p50", SKY, "o"),
    (0.9, "p90", BLUE, "s"),
    (0.99, "p99", ORANGE, "^"),
    (0.999, "p99.9", RED, "D"),
)
MOST_COLUMNS = 4
DUE = "Open loop: latency counts from the moment that a request was due."


def against_replicas(study: Study) -> Plot | None:
    """Return p50 and p99 at the rate within the objective, for each number of replicas."""
    steps = [step for step in study.steps if measured(step, "objective")]
    if not steps:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for share, name, colour, marker in (PERCENTILES[0], PERCENTILES[2]):
            found = {step.replicas: _quantiles(measured(step, "objective"), share) for step in steps}
            axes.scatter(
                *zip(*((at, value) for at, values in found.items() for value in values), strict=True),
                marker=marker,
                facecolor=GROUND,
                edgecolor=colour,
                zorder=3,
            )
            axes.plot(
                list(found),
                [median(each) for each in found.values()],
                color=colour,
                marker=marker,
                label=name,
            )
        objective_line(axes, study.settings)
        axes.set_xticks([step.replicas for step in steps])
        axes.set_xlabel("replicas")
        axes.set_ylabel("latency, logarithmic")
        legend(figure)

    return Plot(
        "latency",
        "Latency at the highest rate within the objective, against replicas",
        f"{DUE} Hollow: each repetition; filled, with the line: their median. Each step has a rate of "
        "its own: the highest that kept the objective there.",
        draw,
        (8.0, 3.8),
    )


def against_rate(study: Study) -> Plot | None:
    """Return percentiles against the rate of arrivals, with a panel for each number of replicas."""
    panels = {step.replicas: _open_runs(step.runs) for step in study.steps if _open_runs(step.runs)}
    if not panels:
        return None
    columns = min(len(panels), MOST_COLUMNS)
    rows = -(-len(panels) // columns)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes, (count, runs) in zip(grid.flat, panels.items(), strict=False):
            _percentiles(axes, runs)
            objective_line(axes, study.settings)
            axes.set_title(so_many(count), loc="left")
            axes.set_xlim(left=0)
            axes.locator_params(axis="x", nbins=4)
            rate_axis(axes.xaxis)
        for axes in grid[:, 0]:
            axes.set_ylabel("latency, logarithmic")
        for axes in list(grid.flat[: len(panels)])[-columns:]:
            axes.set_xlabel("arrivals a second")
        legend(figure, 6)

    return Plot(
        "latency-by-rate",
        "Latency against the rate of arrivals",
        f"{DUE} A point is a run, lines join the medians of each rate; crosses: runs that don't count.",
        draw,
        (max(6.0, 2.6 * columns), 1.2 + 2.3 * rows),
    )


def _open_runs(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.loop == "open" and run.latency and run.rate]


def _quantiles(runs: list[Run], share: float) -> list[float]:
    return [Histogram.decode(run.latency).quantile_seconds(share) for run in runs]


def _percentiles(axes: Any, runs: list[Run]) -> None:
    curves = [Histogram.decode(run.latency).curve(share for share, *_ in PERCENTILES) for run in runs]
    for index, (_, name, colour, marker) in enumerate(PERCENTILES):
        by_rate: dict[float, list[float]] = defaultdict(list)
        for run, curve in zip(runs, curves, strict=True):
            rate, value = run.rate or 0.0, curve[index][1]
            if run.verdict == "refused":
                axes.scatter([rate], [value], marker="x", s=22, color=colour)
                continue
            by_rate[rate].append(value)
            axes.scatter([rate], [value], marker=marker, s=12, color=colour)
        rates = sorted(by_rate)
        axes.plot(
            rates,
            [median(by_rate[rate]) for rate in rates],
            color=colour,
            linewidth=1.2,
            marker=marker,
            markersize=3.5,
            label=name,
        )


def objective_line(axes: Any, about: Settings) -> None:
    """Make the axes logarithmic in durations, and draw the objective."""
    axes.axhline(
        about.objective_seconds,
        color=QUIET,
        linestyle=(0, (4, 3)),
        label=f"objective: {objective(about)}",
    )
    axes.set_yscale("log")
    seconds_axis(axes.yaxis)
