"""What a run has measured, in one process or added up over all: counts, latencies, the generator's CPU.

Percentiles come from histograms that add up; a worker sends what it has measured since its last report.
"""

import time
from collections import Counter
from typing import Any

from loadtest.histogram import Histogram


class Measured:
    """Counts of requests that have ended, since `Measured()` was made."""

    def __init__(self) -> None:
        self.latency = Histogram()
        self.ok = self.failed = 0
        self.unsent = 0  # arrivals that were due, and never sent
        self.versions: Counter[str] = Counter()  # replies by model and version
        self.first, self.last = float("inf"), 0.0  # Unix seconds, of the first request and last reply
        self._started = time.perf_counter(), time.process_time()
        self._busy: dict[str, float] = {}

    @property
    def requests(self) -> int:
        """Return how many requests have ended."""
        return self.ok + self.failed

    @property
    def rate(self) -> float:
        """Return requests a second, from the first one to the last reply; 0 without any."""
        return self.requests / (self.last - self.first) if self.last > self.first else 0.0

    @property
    def busiest(self) -> float:
        """Return the share of a core that the busiest process has used, 0 to 1 and a little more."""
        return max(self._busy.values(), default=0.0)

    def count(self, seconds: float, failed: bool) -> None:
        """Count a request that has just ended, after so many seconds."""
        now = time.time()
        self.first, self.last = min(self.first, now - seconds), max(self.last, now)
        self.latency.record(seconds)
        if failed:
            self.failed += 1
        else:
            self.ok += 1

    def take(self, process: str) -> dict[str, Any]:
        """Return what was counted since the last time, for another process, and begin anew."""
        self.look_at_cpu(process)
        taken = {
            "latency": self.latency.encode(),
            "counts": [self.ok, self.failed, self.unsent],
            "versions": dict(self.versions),
            "times": [self.first, self.last],
            "busy": self._busy[process],
        }
        self.latency, self.versions = Histogram(), Counter()
        self.ok = self.failed = self.unsent = 0
        return taken

    def add(self, process: str, taken: dict[str, Any]) -> None:
        """Add what another process has taken."""
        self.latency.add(Histogram.decode(taken["latency"]))
        ok, failed, unsent = taken["counts"]
        self.ok += ok
        self.failed += failed
        self.unsent += unsent
        self.versions.update(taken["versions"])
        first, last = taken["times"]
        self.first, self.last = min(self.first, first), max(self.last, last)
        self._busy[process] = taken["busy"]

    def look_at_cpu(self, process: str) -> None:
        """Note the share of a core that this process has used since the start."""
        wall, cpu = self._started
        elapsed = time.perf_counter() - wall
        self._busy[process] = (time.process_time() - cpu) / elapsed if elapsed > 1 else 0.0
