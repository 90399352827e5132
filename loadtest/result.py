"""The account of a load: every request sent is in it exactly once, as right or as failed.

In: each reply or loss, from `client.py`. Out: counts, the first failures, and percentiles.
"""

from collections import Counter
from dataclasses import dataclass, field

from loadtest.connection import Reply

FAILURES_KEPT = 20


@dataclass
class Result:
    """What came of the requests: once the load has stopped, `sent == ok + failed`."""

    sent: int = 0
    ok: int = 0
    failed: int = 0
    unsent: int = 0  # due by the schedule, but no connection got free for them until the end
    connections_opened: int = 0
    failures: list[str] = field(default_factory=list)  # the first 20, each with its load time
    latencies: list[tuple[float, float]] = field(default_factory=list)  # (due, latency), seconds
    by_replica: Counter[str] = field(default_factory=Counter)
    by_cache: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    # (when it was sent, X-Model-Version), of each reply
    versions: list[tuple[float, str]] = field(default_factory=list)

    def percentiles(self, since: float = 0.0, until: float = float("inf")) -> dict[str, float]:
        """Return p50, p95, p99 and max, in seconds, of the requests due between two load times.

        Raises ValueError when none of them got a reply.
        """
        ranked = sorted(latency for due, latency in self.latencies if since <= due < until)
        if not ranked:
            raise ValueError(f"no reply to any request due between {since} s and {until} s")
        shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {name: ranked[round(share * (len(ranked) - 1))] for name, share in shares.items()}

    def answered_by(self, since: float, until: float) -> Counter[str]:
        """Return how many requests each version answered, of those sent between two load times."""
        return Counter(version for sent, version in self.versions if since <= sent < until)

    def add_reply(self, due: float, latency: float, reply: Reply, wrong: str | None) -> None:
        """Enter a whole reply, and why it is wrong if it is."""
        self.latencies.append((due, latency))
        self.by_status[reply.status] += 1
        self.by_replica[reply.headers.get("x-replica", "")] += 1
        self.by_cache[reply.headers.get("x-cache", "")] += 1
        if wrong is None:
            self.ok += 1
        else:
            self.add_failure(due + latency, wrong)

    def add_failure(self, when: float, reason: str) -> None:
        """Enter a failure at a load time."""
        self.failed += 1
        if len(self.failures) < FAILURES_KEPT:
            self.failures.append(f"{when:.3f} s: {reason}")
