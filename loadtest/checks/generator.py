"""Whether the generator was the limit: its processor, how late it sent, the rate that it held.

A server that is slow is none of its faults: where requests weren't sent because no connection was free,
the rate that was asked for is the server's to keep.
"""

from math import sqrt

from deploy.top.cells import number, percent, seconds
from loadtest.histogram import Histogram
from loadtest.study.study import Finding, Run, Verdict

Judged = tuple[Verdict, str]

CHECK = "generator"
# Of the time, in which it had work, with a core or waiting for one: an event loop queues from some
# three quarters on, and what it then measures is itself.
BUSY_MARKED, BUSY_REFUSED = 0.75, 0.90
# Of the time, without a core while others had them: latencies hold that as well.
WAIT_MARKED = 0.25
# Of the p99 that is reported: so much of it may be the generator's own.
LAG_MARKED, LAG_REFUSED = 0.10, 0.50
# Below this a lag is the event loop's own turn.
LAG_LEAST_SECONDS = 0.0002
# From the rate that was asked for. Poisson arrivals differ by chance as well: the root of their number.
RATE_REFUSED = 0.01
SIGMAS = 3.0
# From so many of its connections busy on average, what wasn't sent had to wait for one.
CONNECTIONS_BUSY = 0.8


def check_generator(run: Run) -> Finding:
    """Refuse a run of which the figures are the generator's rather than the server's."""
    found = [_busy(run), _lag(run), _rate(run)]
    order: tuple[Verdict, ...] = ("refused", "marked")
    for verdict in order:
        texts = [text for worst, text in found if worst == verdict]
        if texts:
            return Finding(CHECK, verdict, "; ".join(texts))
    text = f"its busiest process {_work(run)}"
    if run.rate:  # a closed loop sends when it is answered, and is never late
        held = percent(abs(_missing(run)))
        text += f", sent up to {seconds(run.generator.lag_p99_seconds)} late (p99)"
        text += f" and held the rate within {held}"
    return Finding(CHECK, "ok", text)


def _work(run: Run) -> str:
    use = run.generator
    waited = f"{percent(use.core_wait_share)} of the time" if use.core_wait_share else "not"
    return f"used {percent(use.busiest_share)} of a core and waited {waited} for one"


def _busy(run: Run) -> Judged:
    use = run.generator
    share = use.busiest_share + use.core_wait_share
    others = use.core_wait_share > use.busiest_share
    why = "others took the cores" if others else "more processes are needed"
    text = f"its busiest process {_work(run)}: {why}"
    if share >= BUSY_REFUSED:
        return "refused", text
    return "marked" if share >= BUSY_MARKED or use.core_wait_share >= WAIT_MARKED else "ok", text


def _lag(run: Run) -> Judged:
    lag, latency = run.generator.lag_p99_seconds, 0.0
    if run.latency:
        latency = Histogram.decode(run.latency).quantile_seconds(0.99)
    text = f"it sent up to {seconds(lag)} late (p99), where p99 of the latency is {seconds(latency)}"
    if lag <= LAG_LEAST_SECONDS or lag <= LAG_MARKED * latency:
        return "ok", text
    return "refused" if lag > LAG_REFUSED * latency else "marked", text


def _rate(run: Run) -> Judged:
    if not run.rate or not run.seconds:
        return "ok", ""
    missing = _missing(run)
    sent = number(run.sent / run.seconds)
    text = f"{number(run.rate)} requests a second were asked for, {sent} were sent"
    by_chance = SIGMAS / sqrt(run.rate * run.seconds)
    return "refused" if abs(missing) > RATE_REFUSED + by_chance else "ok", text


def _missing(run: Run) -> float:
    """Return which share of the requests that were due wasn't sent, though it could have been."""
    due = (run.rate or 0.0) * run.seconds
    waited = run.unsent if run.in_flight >= CONNECTIONS_BUSY * run.connections else 0
    return 1 - (run.sent + waited) / due if due else 0.0
