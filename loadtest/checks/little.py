"""Little's law: what is under way = rate of replies times latency, whatever the system.

The three are measured independently: moments at which requests under way are counted, replies, and
latencies. Where they disagree one of them is wrong. J. D. C. Little, A proof for the queuing formula
L = λW, Operations Research 9 (1961).
"""

from math import sqrt

from deploy.top.cells import number, seconds
from loadtest.histogram import Histogram
from loadtest.study.study import Finding, Run

CHECK = "little"
# Requests that are under way at the start or at the end are in one count and not in the other, and
# moments are samples: a sound run of ten seconds is within some 3 %.
MARKED_BEYOND = 0.10
# Latencies that leave out waiting, or replies that nobody waited for, are beyond this.
REFUSED_BEYOND = 0.25
CONNECTIONS_BEYOND = 0.02
# Standard deviations of the mean of what was counted.
SIGMAS = 3.0
# What is under way in all is so little that a moment more or less makes the difference.
LEAST = 0.05


def check_little(run: Run) -> Finding:
    """Compare what was under way with rate times mean latency, and both with the connections."""
    latency = Histogram.decode(run.latency) if run.latency else Histogram()
    if not latency.count or not run.seconds:
        return Finding(CHECK, "refused", "no reply, so no latency")
    replies, mean = (run.ok + run.failed) / run.seconds, latency.mean_seconds
    by_law = replies * mean
    text = f"{number(replies)} replies a second of {seconds(mean)} each are {by_law:,.2f} under way"
    beyond = _beyond(run, mean)
    counted = f"{run.in_flight:,.2f} were counted" if run.in_flight else "none were counted"
    text = f"{text}, {counted}"
    # In a closed loop a connection holds one request at a time.
    most = run.connections * (1 + CONNECTIONS_BEYOND + beyond)
    if run.loop == "closed" and max(by_law, run.in_flight) > most:
        return Finding(CHECK, "refused", f"{text}: impossible on {run.connections} connections")
    if not run.in_flight:
        return Finding(CHECK, "ok", f"{text}, so it is unknown whether that holds")
    # What was never sent waited, and has no latency.
    never_sent = min(float(run.unsent), max(0.0, run.in_flight - by_law))
    apart = abs(by_law - run.in_flight) - never_sent - LEAST
    if apart <= (MARKED_BEYOND + beyond) * max(run.in_flight, by_law):
        left_out = ", with those that were never sent" if never_sent else ""
        return Finding(CHECK, "ok", text + left_out)
    refused = apart > (REFUSED_BEYOND + beyond) * max(run.in_flight, by_law)
    less, more = "latencies or replies leave something out", "latencies or replies are too many"
    why = less if by_law < run.in_flight else more
    return Finding(CHECK, "refused" if refused else "marked", f"{text}: {why}")


def _beyond(run: Run, mean_seconds: float) -> float:
    """Return by how much the two may differ by chance and at both ends of the run, as a share."""
    return SIGMAS * sqrt(2 / max(1, run.ok + run.failed)) + mean_seconds / run.seconds
