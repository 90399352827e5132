"""An outcome for people: a plan and what came of it come in, a table goes out.

It says which loop its latencies are from. `__main__.py` prints it.
"""

from rich.markup import escape
from rich.table import Table

from loadtest.generator.plan import Outcome, Plan
from loadtest.histogram import Histogram

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "longest": 1.0}
# From here on a process is late because it has too much to do.
BUSY_SHARE = 0.8


def table(plan: Plan, outcome: Outcome) -> Table:
    """Return the table."""
    latency = Histogram.decode(outcome.latency)
    result = Table(title=_title(plan), title_justify="left", show_header=False, box=None)
    for name, value in _rows(plan, outcome, latency):
        result.add_row(name, escape(value))
    return result


def quantiles(latency: Histogram) -> dict[str, float]:
    """Return the latencies (seconds) that are shown, by name."""
    return {name: latency.quantile_seconds(share) for name, share in SHARES.items()}


def held(outcome: Outcome) -> float:
    """Return how many requests were sent a second."""
    return outcome.sent / outcome.seconds


def deviation(plan: Plan, outcome: Outcome) -> float:
    """Return by which share the rate that was held differs from the one asked for, of an open loop.

    Arrivals at random have an exact number as well (`schedule.py`), so this has no noise of theirs.
    """
    return outcome.sent / plan.due - 1 if plan.due else 0.0


def _title(plan: Plan) -> str:
    across = (
        f"{plan.connections} connections, generator processes: {plan.processes}, {plan.seconds:g} s"
    )
    if plan.rate is None:
        return f"Closed loop: {across}"
    how = "at random (Poisson)" if plan.arrivals == "poisson" else "evenly spaced"
    return f"Open loop: {plan.rate:,.0f} arrivals a second, {how}; {across}"


def _rows(plan: Plan, outcome: Outcome, latency: Histogram) -> list[tuple[str, str]]:
    use = outcome.generator
    figures = "  ".join(f"{name} {seconds * 1e3:.3g}" for name, seconds in quantiles(latency).items())
    if plan.rate is None:
        since = f"from sending (closed loop: {plan.connections} connections)"
        schedule = [("rate", f"{held(outcome):,.0f} a second")]
    else:
        since = "from the scheduled start (open loop)"
        off = f"{held(outcome):,.1f} a second, {deviation(plan, outcome):+.2%} from what was asked"
        late = f"p99 {use.lag_p99_seconds * 1e3:.3g} ms, longest {use.lag_longest_seconds * 1e3:.3g} ms"
        schedule = [("schedule held", off), ("sent late by", late)]
    law = outcome.ok / outcome.seconds * latency.mean_seconds
    busy = ": too busy for these latencies to count" if use.busiest_share > BUSY_SHARE else ""
    return [
        *schedule,
        ("latency", f"{figures} ms"),
        ("", since),
        (
            "requests",
            f"{outcome.sent:,} sent: {outcome.ok:,} right, {outcome.failed:,} wrong, "
            f"{outcome.lost:,} lost; {outcome.unsent:,} due but unsent",
        ),
        ("under way", f"{outcome.in_flight:.2f} counted; rate x latency gives {law:.2f}"),
        ("statuses", _counts(outcome.by_status)),
        ("versions", _counts(outcome.by_version)),
        ("cache", _counts(outcome.by_cache)),
        ("replicas", _counts(outcome.by_replica)),
        (
            "generator",
            f"{use.cpu_seconds:.2f} s of CPU, at most {use.busiest_share:.0%} of a core{busy}",
        ),
        *(("", failure) for failure in outcome.failures),
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name or 'none'} {count:,}" for name, count in counts.items()) or "none"
