"""Balance over replicas: each one that runs got its share, by its own count."""

from math import sqrt

from deploy.top.cells import percent
from loadtest.study.study import Finding, Run

CHECK = "balance"
# Of an even share. 48 slots of nginx' for 5 or 7 replicas alone make up to 10 %, and one that is ready
# a moment sooner keeps more connections.
UNEVEN = 0.15
SIGMAS = 3.0


def check_balance(run: Run) -> Finding:
    """Refuse a run in which a replica got nothing; mark one with shares that differ beyond chance."""
    counts = run.server.requests_by_replica
    if counts is None:
        return Finding(
            CHECK, "ok", "which replica got how much is unknown: Prometheus couldn't be asked"
        )
    idle = sorted(name for name, count in counts.items() if not count)
    if idle or not counts:
        text = f"{len(idle)} of {len(counts)} replicas got no request: {', '.join(idle)}"
        return Finding(CHECK, "refused", text)
    total, even = sum(counts.values()), 1 / len(counts)
    least, most = (pick(counts, key=lambda name: counts[name]) for pick in (min, max))
    text = (
        f"{len(counts)} replicas with {percent(counts[least] / total)} ({least}) "
        f"to {percent(counts[most] / total)} ({most}) of the requests"
    )
    by_chance = SIGMAS * sqrt((1 - even) / even / total)
    furthest = max(abs(count / total / even - 1) for count in counts.values())
    if furthest <= UNEVEN + by_chance:
        return Finding(CHECK, "ok", text)
    return Finding(CHECK, "marked", f"{text}, where {percent(even)} is even")
