"""What the processes have counted comes in, one outcome goes out: counts and histograms added up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from loadtest.generator.account import FAILURES_KEPT, Counted
from loadtest.generator.plan import Outcome, Plan
from loadtest.histogram import Histogram
from loadtest.study.study import GeneratorUse, Second


def merge(plan: Plan, started: float, parts: Sequence[Counted]) -> Outcome:
    """Return the outcome of a plan that began at a Unix time, from each process's part."""
    by_second = [_second(seconds) for seconds in zip_longest(*(each.by_second for each in parts))]
    failures = sorted(failure for each in parts for failure in each.failures)[:FAILURES_KEPT]
    lag = _sum(each.lag for each in parts)
    busiest = max(each.cpu_seconds for each in parts)
    return Outcome(
        started=started,
        seconds=plan.seconds,
        sent=sum(each.sent for each in parts),
        ok=sum(each.ok for each in parts),
        failed=sum(each.failed for each in parts),
        lost=sum(each.lost for each in parts),
        unsent=sum(each.unsent for each in parts),
        failures=[f"{at:.3f} s: {reason}" for at, reason in failures],
        latency=_sum(each.latency for each in by_second).encode(),
        by_second=by_second,
        by_status=_count(parts, 0),
        by_replica=_count(parts, 1),
        by_version=_count(parts, 2),
        by_cache=_count(parts, 3),
        in_flight=sum(each.in_flight for each in parts),
        generator=GeneratorUse(
            processes=len(parts),
            cpu_seconds=sum(each.cpu_seconds for each in parts),
            busiest_share=busiest / plan.seconds,
            core_wait_share=max(each.core_wait_seconds for each in parts) / plan.seconds,
            lag_p99_seconds=lag.quantile_seconds(0.99),
            lag_longest_seconds=lag.longest_seconds,
        ),
        numbers_used=len(parts) * max(each.numbers for each in parts),
    )


def _sum(encoded: Iterable[str]) -> Histogram:
    total = Histogram()
    for each in encoded:
        total.add(Histogram.decode(each))
    return total


def _second(parts: Iterable[Second | None]) -> Second:
    """Add up one second; a process in which no reply came as late has none."""
    there = [each for each in parts if each is not None]
    latency = _sum(each.latency for each in there).encode()
    return Second(sum(each.ok for each in there), sum(each.failed for each in there), latency)


def _count(parts: Iterable[Counted], place: int) -> dict[str, int]:
    """Return how many replies had each value of one of the labels."""
    counts: Counter[str] = Counter()
    for *labels, count in (label for part in parts for label in part.labels):
        counts[str(labels[place])] += count
    return dict(sorted(counts.items()))
