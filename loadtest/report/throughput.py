"""The plot that a study is made for: throughput against replicas, with law and ideal line."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from loadtest.law.law import Law
from loadtest.report.headline import objective
from loadtest.report.plot import BLUE, GREEN, GROUND, PURPLE, QUIET, RED, Plot, legend, rate_axis
from loadtest.report.steps import StepFigures
from loadtest.study.study import Study

BEYOND = 1.15  # how far the law is drawn: what is beyond the last step is a forecast
CAPTION = (
    "Each point is one repetition, closed loop, with as many connections as saturate the replicas; the "
    "bar is their median. Ideal is as many times the smallest step as there are replicas. "
    "{law} Diamonds: the highest rate of arrivals that kept the objective, open loop. "
    "Below: what a replica gives, as a share of what it gives in the smallest step."
)
BAND = "The band is where the law's curve lies with 95 % confidence."


def throughput(study: Study, figures: list[StepFigures], law: Law | None) -> Plot | None:
    """Return the plot; None where there is no peak of which it could be made."""
    steps = [each for each in figures if each.peak]
    if not steps:
        return None

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _rates(above, study, steps, law)
        _efficiency(below, steps, law)
        below.set_xticks([each.replicas for each in steps])
        below.set_xlabel("replicas")
        legend(figure, 3)

    about = study.settings
    quota = f", {about.cpus:g} CPU each" if about.cpus else ""
    return Plot(
        "throughput",
        f"Throughput as replicas are added: {about.model} on {about.stack}{quota}",
        CAPTION.format(law=BAND if law else "No law was fitted."),
        draw,
        (8.0, 5.6),
    )


def _rates(axes: Any, study: Study, steps: list[StepFigures], law: Law | None) -> None:
    alone, most = _alone(steps), steps[-1].replicas
    axes.plot([0, most], [0, alone * most], color=QUIET, linestyle=(0, (4, 3)), label="ideal: linear")
    if law:
        at = np.linspace(steps[0].replicas, most * BEYOND, 120)
        value, low, high = law.curve(at)
        axes.fill_between(at, low, high, color=BLUE, alpha=0.18, linewidth=0)
        axes.plot(at, value, color=BLUE, label="scaling law (USL), 95 % band")
    for refused in (False, True):
        points = [
            (step.replicas, run.achieved)
            for step in study.steps
            for run in step.runs
            if run.purpose == "peak" and (run.verdict == "refused") == refused
        ]
        look: dict[str, Any] = (
            {"marker": "x", "color": RED, "label": "refused: it doesn't count"}
            if refused
            else {
                "marker": "o",
                "facecolor": GROUND,
                "edgecolor": BLUE,
                "label": "peak of a repetition",
            }
        )
        if points:
            axes.scatter(*zip(*points, strict=True), s=26, zorder=3, **look)
    _medians(axes, steps, color=BLUE, linewidth=2, zorder=4, label="median")
    apart = [
        each for each in steps if "peak" in each.doubted or (law and each.replicas not in law.measured)
    ]
    if apart:
        why = "not in the law" if law else "refused by the step's checks"
        _medians(axes, apart, color=PURPLE, linewidth=3, zorder=5, label=why)
    within = [(each.replicas, each.within) for each in steps if each.within]
    if within:
        axes.errorbar(
            [replicas for replicas, _ in within],
            [each.median for _, each in within],
            [
                [each.median - each.low for _, each in within],
                [each.high - each.median for _, each in within],
            ],
            fmt="D",
            markersize=5,
            color=GREEN,
            label=f"with {objective(study.settings)}",
        )
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_ylabel("right replies a second")
    rate_axis(axes.yaxis)


def _medians(axes: Any, steps: list[StepFigures], **look: Any) -> None:
    """Draw a bar at each step's median."""
    points = [(each.replicas, each.peak.median) for each in steps if each.peak]
    axes.scatter(*zip(*points, strict=True), marker="_", s=260, **look)


def _efficiency(axes: Any, steps: list[StepFigures], law: Law | None) -> None:
    alone = _alone(steps)
    axes.axhline(100, color=QUIET, linestyle=(0, (4, 3)))
    if law:
        at = np.linspace(steps[0].replicas, steps[-1].replicas * BEYOND, 120)
        axes.plot(at, 100 * law.curve(at)[0] / at / alone, color=BLUE)
    axes.plot(
        [each.replicas for each in steps],
        [100 * (each.efficiency or 0) for each in steps],
        "_",
        markersize=16,
        markeredgewidth=2,
        color=BLUE,
    )
    axes.set_ylabel("% of linear")
    axes.set_ylim(0, max(115, *(110 * (each.efficiency or 0) for each in steps)))


def _alone(steps: list[StepFigures]) -> float:
    """Return what one replica gives in the step that the others are measured by."""
    return next((each.each / each.efficiency for each in steps if each.each and each.efficiency), 0.0)
