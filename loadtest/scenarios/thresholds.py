"""Thresholds: what was measured comes in, a verdict for each of them goes out, and the exit code.

Whoever reads the verdict is told how the load was made: closed and open loops' latencies differ.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from loadtest.scenarios.measured import Measured

# Beyond this share of a core a process is late by itself, and its latencies are its own.
MOST_BUSY = 0.9
CLOSED = (
    "closed loop: each user waits for a reply before the next request, so a slow server is asked less "
    "often; latencies count from sending"
)
OPEN = (
    "open loop: {rate:g} arrivals a second, whatever becomes of the ones before; latencies count from "
    "when a request was due"
)


class Limits(NamedTuple):
    """What is allowed; None: anything."""

    fail_ratio: float = 0.0
    p95_ms: float | None = None
    p99_ms: float | None = None
    versions: int = 0  # of one model, that must have answered, at least


class Row(NamedTuple):
    """One threshold."""

    threshold: str
    measured: str
    allowed: str
    ok: bool


def judge(measured: Measured, limits: Limits) -> list[Row]:
    """Return a row for each threshold."""
    ended = measured.requests
    due = ended + measured.unsent
    rows = [Row("requests", f"{ended:,}", "at least 1", ended > 0)]
    if ended:
        share = measured.failed / ended
        rows.append(_share("failed requests", share, limits.fail_ratio))
    if measured.unsent:
        rows.append(_share("arrivals not sent", measured.unsent / due, limits.fail_ratio))
    for name, quantile, most in (("p95", 0.95, limits.p95_ms), ("p99", 0.99, limits.p99_ms)):
        if most is not None:
            found = measured.latency.quantile_seconds(quantile) * 1000
            rows.append(Row(name, _ms(found), f"{most:g} ms", ended > 0 and found <= most))
    if limits.versions:
        answered = max(Counter(name.split()[0] for name in measured.versions).values(), default=0)
        rows.append(
            Row("versions", f"{answered}", f"at least {limits.versions}", answered >= limits.versions)
        )
    busy = measured.busiest
    rows.append(Row("generator's CPU", f"{busy:.0%}", f"{MOST_BUSY:.0%}", busy <= MOST_BUSY))
    return rows


def verdict(measured: Measured, rows: Sequence[Row], troubles: Sequence[str], arrivals: float) -> str:
    """Return the end of a run for people: the loop, the figures, a line for each threshold.

    `troubles` are sentences, each of which makes the run a failed one, and `arrivals` is the rate of an
    open loop, 0 for a closed one.
    """
    quantiles = measured.latency.curve([0.5, 0.95, 0.99])
    p50, p95, p99 = (_ms(seconds * 1000) for _, seconds in quantiles)
    figures = (
        f"{measured.requests:,} requests, {measured.rate:,.0f} a second, {measured.failed:,} failed; "
        f"p50 {p50}, p95 {p95}, p99 {p99}, longest {_ms(measured.latency.longest_seconds * 1000)}"
    )
    lines = [OPEN.format(rate=arrivals) if arrivals else CLOSED, figures]
    if measured.unsent:
        lines.append(f"{measured.unsent:,} arrivals were due and never sent (--max-in-flight)")
    if measured.versions:
        counts = sorted(measured.versions.items())
        lines.append("answered by " + ", ".join(f"{name}: {count:,}" for name, count in counts))
    width = max(len(row.threshold) for row in rows)
    table = [f"{'threshold':{width}}  {'measured':>10}  {'allowed':>10}"]
    for name, found, allowed, ok in rows:
        table.append(f"{name:{width}}  {found:>10}  {allowed:>10}  {'ok' if ok else 'FAILED'}")
    table += [f"FAILED: {trouble}" for trouble in dict.fromkeys(troubles)]
    passed = not troubles and all(row.ok for row in rows)
    return "\n".join(["", *lines, "", *table, "", "passed" if passed else "FAILED"])


def _share(name: str, share: float, most: float) -> Row:
    return Row(name, f"{share:.2%}", f"{most:.2%}", share <= most)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"
