"""What the server counted = what the client counted, to the request: nginx's own count, and replicas'.

A client that counts replies it never got, somebody else who uses the same stack, a stack that isn't the
one that was meant: all of it shows here.
"""

from loadtest.study.study import Finding, Run, Verdict

CHECK = "server counts"
# Any difference is said; beyond this share of the requests it isn't the run's load that was measured.
REFUSED_BEYOND = 0.01
EDGE = "edge"


def check_server_counts(run: Run) -> Finding:
    """Compare requests sent with those nginx and the replicas counted; say where they differ."""
    at_the_door, by_replica = run.server.requests_at_the_door, run.server.requests_by_replica
    if at_the_door is None and by_replica is None:
        text = "Prometheus couldn't be asked what nginx and the replicas counted, so it is unknown"
        # The first runs of a step only look for its load.
        wanted = run.purpose in ("peak", "objective")
        return Finding(CHECK, "marked" if wanted else "ok", text)
    edge = run.by_cache.get(EDGE, 0)
    # What got no right reply may have come so far or not, and nginx may not know its model.
    unsure = run.lost + run.failed
    differs, texts = [], []
    if at_the_door is not None:
        differs.append(_outside(at_the_door, run.sent - unsure, run.sent))
        texts.append(f"{at_the_door:,} at nginx")
    if by_replica is not None:
        counted = sum(by_replica.values())
        differs.append(_outside(counted, run.sent - edge - unsure, run.sent - edge))
        texts.append(f"{counted:,} at the replicas" + (f", {edge:,} by the edge" if edge else ""))
    text = f"{run.sent:,} requests sent, {', '.join(texts)}"
    if not any(differs):
        return Finding(CHECK, "ok", text)
    worst = max(map(abs, differs)) / max(1, run.sent)
    verdict: Verdict = "refused" if worst > REFUSED_BEYOND else "marked"
    return Finding(CHECK, verdict, f"{text}: {_why(differs, at_the_door is not None)}")


def _outside(found: int, low: int, high: int) -> int:
    """Return by how much a count is more than it may be, negative where it is less."""
    return found - high if found > high else min(0, found - low)


def _why(differs: list[int], door_known: bool) -> str:
    door = differs[0] if door_known else 0
    replicas = differs[-1]
    if door > 0:
        return f"{door:,} more than were sent; somebody else uses the stack"
    if door < 0:
        return f"nginx has {-door:,} fewer; they went elsewhere, or were counted without being sent"
    if replicas > 0:
        return f"{replicas:,} more; asked past nginx, or nginx asked two replicas for one reply"
    return f"the replicas have {-replicas:,} fewer; one was started anew during the run"
