"""The rate that keeps a p99: a step comes in, the highest arrival rate that was fast enough goes out.

The rates are those that were measured. Between one that was in time and one that wasn't nothing is
interpolated: near saturation latency is a cliff, and a rate there would be one that nobody has seen.
"""

from collections import defaultdict
from statistics import median

from msgspec import Struct

from loadtest.histogram import Histogram
from loadtest.study.figures import peak
from loadtest.study.study import Run, Step, Study

P99 = 0.99


class Kept(Struct, frozen=True):
    """With so many replicas: right replies a second in time, and what share of their peak that is.

    `missed`: what share the next rate that was measured is, which wasn't in time; None: there was none.
    The most that can be kept lies between the two.
    """

    replicas: int
    rate: float
    share: float
    missed: float | None = None


def kept_rates(study: Study, p99_seconds: float, measured: tuple[int, ...]) -> list[Kept]:
    """Return what each of the measured steps kept; not of those where no rate was slow enough."""
    steps = [step for step in study.steps if step.replicas in measured]
    return [kept for step in steps if (kept := kept_rate(step, p99_seconds))]


def kept_rate(step: Step, p99_seconds: float) -> Kept | None:
    """Return the highest rate at which 99 % of what was due got a right reply in time, or None.

    Of runs at the same rate the median counts. Closed loops don't: they ask less of a slow server.
    """
    by_rate: dict[float, list[Run]] = defaultdict(list)
    for run in open_runs(step):
        by_rate[run.rate or run.achieved].append(run)
    in_time = [rate for rate, runs in by_rate.items() if median(map(p99_of, runs)) <= p99_seconds]
    most = peak(step)
    if not in_time or not most:
        return None
    highest = max(in_time)
    above = min((rate for rate in by_rate if rate > highest), default=None)
    achieved = median(run.achieved for run in by_rate[highest])
    return Kept(step.replicas, achieved, achieved / most.median, above and above / most.median)


def fastest(study: Study) -> float | None:
    """Return the least p99 in seconds of any open run, None where there is no such run."""
    return min((p99_of(run) for step in study.steps for run in open_runs(step)), default=None)


def open_runs(step: Step) -> list[Run]:
    """Return the runs with arrivals by a schedule of which something may be concluded."""
    return [run for run in step.runs if run.loop == "open" and run.verdict != "refused" and run.ok]


def p99_of(run: Run) -> float:
    """Return within how many seconds 99 % of what was due had a right reply; infinite: they hadn't.

    What failed may have been quick; it is counted as if it had come before all right replies.
    """
    share = (P99 * (run.sent + run.unsent) + run.failed) / (run.ok + run.failed)
    return Histogram.decode(run.latency).quantile_seconds(share) if share <= 1 else float("inf")
