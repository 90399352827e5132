"""The plot of a step's time: requests and latency by the second, its runs and what happened."""

import math
from typing import Any

from matplotlib.figure import Figure

from loadtest.histogram import Histogram
from loadtest.law.verdict import so_many
from loadtest.report.plot import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    QUIET,
    RED,
    TEXT,
    Plot,
    legend,
    rate_axis,
    seconds_axis,
)
from loadtest.study.study import Event, Settings, Step, Study

GROUNDS = {"saturation": PURPLE, "peak": BLUE, "search": ORANGE, "objective": GREEN}
MEANINGS = {
    "saturation": "looking for saturation",
    "peak": "peak",
    "search": "looking for the highest rate",
    "objective": "rate within the objective",
}
NEAR = 0.025  # of the width: numbers of events that are nearer to each other share a place


def timelines(study: Study) -> list[Plot]:
    """Return a plot for each step that has runs with seconds."""
    return [
        _timeline(step, study.settings)
        for step in study.steps
        if any(run.by_second for run in step.runs)
    ]


def _timeline(step: Step, settings: Settings) -> Plot:
    runs = sorted(step.runs, key=lambda run: run.started)
    zero = min([run.started for run in runs] + [event.at for event in step.events])
    events = _apart_from_runs(step)

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        at, ok, failed, slowest = _seconds(step, zero)
        above.plot(at, ok, color=TEXT, linewidth=1.1, label="right replies")
        if any(each > 0 for each in failed):
            above.plot(at, failed, color=RED, linewidth=1.1, label="failed")
        below.plot(at, slowest, color=TEXT, linewidth=1.1)
        below.axhline(settings.objective_seconds, color=QUIET, linestyle=(0, (4, 3)))
        for axes in (above, below):
            for run in runs:
                axes.axvspan(
                    run.started - zero,
                    run.started - zero + run.seconds,
                    color=GROUNDS[run.purpose],
                    alpha=0.16,
                    linewidth=0,
                    label=MEANINGS[run.purpose],
                )
            for event in events:
                axes.axvline(event.at - zero, color=QUIET, linewidth=1, linestyle=":")
        _numbers(above, [event.at - zero for event in events])
        above.set_ylim(0, 1.06 * above.get_ylim()[1])
        for axes in (above, below):
            axes.grid(axis="x", visible=False)
        above.set_ylabel("requests a second")
        rate_axis(above.yaxis)
        below.set_yscale("log")
        seconds_axis(below.yaxis)
        below.set_ylabel("p99 of a second")
        below.set_xlabel("seconds since the step began")
        legend(figure, 3)

    happened = "; ".join(
        f"{number}: {event.text} ({event.at - zero:.0f} s)" for number, event in enumerate(events, 1)
    )
    return Plot(
        f"timeline-{step.replicas}",
        f"Time line of the step with {so_many(step.replicas)}",
        "Replies by the second in which they came, and their p99; dashed: the objective. Closed loops "
        "find saturation and peak, open loops the rate within the objective."
        + (f" Events: {happened}." if happened else ""),
        draw,
        (9.0, 4.4),
    )


def _apart_from_runs(step: Step) -> list[Event]:
    """Return the events that aren't a run's begin ("peak 1: …"), which its ground shows already."""
    events = sorted(step.events, key=lambda event: event.at)
    return [event for event in events if event.text.partition(" ")[0] not in GROUNDS]


def _seconds(step: Step, zero: float) -> tuple[list[float], ...]:
    """Return time, right and failed replies and p99 of each second; NaN between runs cuts the line."""
    points: list[tuple[float, float, float, float]] = []
    for run in sorted(step.runs, key=lambda run: run.started):
        # What came after the last whole second came in a part of one: that is no rate.
        for number, second in enumerate(run.by_second[: max(1, round(run.seconds))]):
            p99 = Histogram.decode(second.latency).quantile_seconds(0.99) if second.latency else 0.0
            at = run.started - zero + number + 0.5
            points.append((at, second.ok, second.failed, p99 or math.nan))
        points.append((run.started - zero + run.seconds, math.nan, math.nan, math.nan))
    return tuple(list(column) for column in zip(*points, strict=True))


def _numbers(axes: Any, places: list[float]) -> None:
    """Write the events' numbers over the axes: 3, or 3-5 where they lie close together."""
    near = NEAR * (axes.get_xlim()[1] - axes.get_xlim()[0])
    groups: list[list[int]] = []
    for number, place in enumerate(places, 1):
        if groups and place - places[groups[-1][0] - 1] < near:
            groups[-1].append(number)
        else:
            groups.append([number])
    for group in groups:
        text = f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0])
        axes.annotate(
            text,
            (places[group[0] - 1], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            color=QUIET,
            fontsize=8,
        )
