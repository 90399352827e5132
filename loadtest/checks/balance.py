"""Balance over replicas: each one that runs got its share, by its own count or as replies say."""

from collections.abc import Mapping
from math import sqrt

from deploy.top.cells import percent
from loadtest.study.study import Finding, Run, Step

CHECK = "balance"
# Of an even share. nginx's 48 slots for 5 or 7 replicas alone make up to 10 %, and one that is quicker
# for a moment is asked more: nginx prefers the one with the fewest requests.
UNEVEN = 0.15
# Of an even share: whoever gets no more than that takes no part in what is measured.
NONE = 0.1
SIGMAS = 3.0
EDGE = "edge"


def check_balance(run: Run) -> Finding:
    """Refuse a run in which a replica got nothing; mark one with shares that differ beyond chance."""
    counts = run.server.requests_by_replica
    if counts is None:
        counts = answered_by(run)  # one that answered nothing isn't in it: `check_answered` sees that
    if not counts:
        return Finding(CHECK, "ok", "which replica got how much is unknown: nobody says it")
    if not sum(counts.values()) and run.by_cache.get(EDGE):
        return Finding(CHECK, "ok", "nginx answered everything from its cache, no replica was asked")
    even = sum(counts.values()) / len(counts)
    idle = [f"{name} {count:,}" for name, count in sorted(counts.items()) if count <= NONE * even]
    if idle:
        text = (
            f"{len(idle)} of {len(counts)} replicas got no requests, or next to none: {', '.join(idle)}"
        )
        return Finding(CHECK, "refused", text)
    if len(counts) == 1:
        return Finding(CHECK, "ok", "one replica got all requests")
    furthest = max(abs(count / even - 1) for count in counts.values())
    by_chance = SIGMAS * sqrt((1 - 1 / len(counts)) / even)
    text = f"{len(counts)} replicas got {_range(counts)} of the requests each"
    if furthest <= UNEVEN + by_chance:
        return Finding(CHECK, "ok", text)
    return Finding(CHECK, "marked", f"{text}, where {percent(1 / len(counts))} is even")


def check_answered(step: Step) -> Finding:
    """Refuse a step in a run of which fewer replicas answered than were started."""
    fewest = min((len(found) for run in step.runs if (found := answered_by(run))), default=None)
    if fewest is None:
        return Finding(CHECK, "ok", "which replicas answered is unknown: no reply names one")
    if fewest < step.replicas:
        return Finding(CHECK, "refused", f"in a run only {fewest} of {step.replicas} replicas answered")
    return Finding(CHECK, "ok", f"all of {step.replicas} replicas answered in every run")


def answered_by(run: Run) -> dict[str, int]:
    """Return how many replies each replica's name was on."""
    return {name: count for name, count in run.by_replica.items() if name and count}


def _range(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    least, most = (pick(counts, key=lambda name: counts[name]) for pick in (min, max))
    low, high = percent(counts[least] / total), percent(counts[most] / total)
    return low if low == high else f"{low} ({least}) to {high} ({most})"
