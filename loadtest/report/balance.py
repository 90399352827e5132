"""The plot of the replicas' balance: how much of an even part each of them answered."""

from collections import Counter
from typing import Any

from matplotlib.figure import Figure

from loadtest.report.plot import BLUE, GROUND, QUIET, RED, Plot, legend
from loadtest.study.study import Step, Study


def parts(step: Step) -> dict[str, float]:
    """Return for each replica its requests as a multiple of an even part; {} where nobody counted.

    By the replicas' own counts, else by X-Replica in the replies: what no reply names got nothing.
    """
    counts: Counter[str] = Counter()
    for run in step.runs:
        if run.purpose in ("peak", "objective"):
            counts.update(run.server.requests_by_replica or run.by_replica)
    unnamed = range(step.replicas - len(counts))
    counts.update({f"without a reply {number + 1}": 0 for number in unnamed})
    together = counts.total()
    return {name: count * len(counts) / together for name, count in counts.items()} if together else {}


def balance(study: Study) -> Plot | None:
    """Return the plot; None where the replicas' own counts are unknown."""
    steps = {step.replicas: found for step in study.steps if (found := parts(step))}
    if not steps:
        return None

    def draw(figure: Figure) -> None:
        axes: Any = figure.subplots()
        axes.axhline(1, color=QUIET, linestyle=(0, (4, 3)), label="even")
        for place, found in enumerate(steps.values()):
            for number, part in enumerate(sorted(found.values())):
                axes.scatter(
                    # Side by side within the step, or equal parts would hide each other.
                    place + 0.6 * ((number + 0.5) / len(found) - 0.5),
                    part,
                    s=30,
                    zorder=3,
                    **(
                        {"marker": "o", "facecolor": GROUND, "edgecolor": BLUE, "label": "a replica"}
                        if part
                        else {"marker": "x", "color": RED, "label": "a replica that got no request"}
                    ),
                )
        axes.set_xticks(range(len(steps)), list(map(str, steps)))
        axes.set_xlim(-0.5, len(steps) - 0.5)
        axes.grid(axis="x", visible=False)
        axes.set_ylim(0, max(1.5, *(1.1 * max(found.values()) for found in steps.values()), 0))
        axes.set_xlabel("replicas")
        axes.set_ylabel("requests, in even parts")
        legend(figure)

    return Plot(
        "balance",
        "How evenly the replicas were asked",
        "Requests of each replica, by its own count where that is known, in the runs for the peak and "
        "within the objective; 1 is an even part.",
        draw,
        (8.0, 3.2),
    )
