"""The figures of a step: its runs come in, medians with their spread go out; refused runs don't count.

The scaling law, the plan and the report all take them from here.
"""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from loadtest.histogram import Histogram
from loadtest.study.study import Purpose, Run, Step, Study, Verdict


class Figure(NamedTuple):
    """A median, and the lowest and highest of what it is the median of."""

    median: float
    low: float
    high: float
    runs: int

    @property
    def spread(self) -> float:
        """Return half the distance from lowest to highest, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


def figure(values: Sequence[float]) -> Figure | None:
    """Return the figure of some values, None where there are none."""
    return Figure(median(values), min(values), max(values), len(values)) if values else None


def runs_for(step: Step, purpose: Purpose) -> list[Run]:
    """Return the runs for a purpose of which something may be concluded."""
    return [each for each in step.runs if each.purpose == purpose and each.verdict != "refused"]


def doubted(step: Step) -> frozenset[Purpose]:
    """Return which of its figures a step's own checks refuse: "peak", "objective".

    Their findings begin with the one that they are about, or are about both.
    """
    texts = [each.text for each in step.findings if each.verdict == "refused"]
    pairs: tuple[tuple[Purpose, Purpose], ...] = (("peak", "objective"), ("objective", "peak"))
    return frozenset(
        purpose for purpose, other in pairs if any(not text.startswith(other) for text in texts)
    )


def verdict(step: Step) -> Verdict:
    """Return the worst of a step: refused where its checks refuse a figure, or none is left.

    A refused run among others only marks it: the figure is that of the others.
    """
    if doubted(step) or not (peak(step) or objective_rate(step)):
        return "refused"
    findings = {each.verdict for each in step.findings} | {run.verdict for run in step.runs}
    return "ok" if findings <= {"ok"} else "marked"


def peak(step: Step) -> Figure | None:
    """Return the most right replies a second that the replicas give."""
    return figure([each.achieved for each in runs_for(step, "peak")])


def objective_rate(step: Step) -> Figure | None:
    """Return the highest rate of arrivals that kept the objective, as right replies a second."""
    return figure([each.achieved for each in runs_for(step, "objective")])


def quantile(runs: Sequence[Run], share: float) -> Figure | None:
    """Return a quantile of the latency in seconds: the median of the runs' own."""
    return figure([Histogram.decode(each.latency).quantile_seconds(share) for each in runs])


def efficiency(study: Study) -> dict[int, float]:
    """Return by number of replicas: the peak of one of them, as a share of the smallest step's.

    1.0 is linear: twice the replicas, twice the requests. Steps whose peak their checks refuse are no
    measure for the others.
    """
    peaks = {step.replicas: found for step in study.steps if (found := peak(step)) and found.median}
    if not peaks:
        return {}
    refused = {step.replicas for step in study.steps if "peak" in doubted(step)}
    fewest = min(peaks.keys() - refused or peaks)
    alone = peaks[fewest].median / fewest
    return {replicas: found.median / replicas / alone for replicas, found in sorted(peaks.items())}
