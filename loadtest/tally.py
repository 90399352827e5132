"""What a load test counts: each request in by its name, Prometheus' metrics out.

Knows nothing of Locust, whose import patches the whole process: `exporter.py` does. Workers send what
they have counted since they last did, as plain lists, and the master adds it up.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from service.counting.counts import Distribution

# Finer than a replica's own below a millisecond, where predictions are.
SECONDS = (
    *(0.0001, 0.0002, 0.0003, 0.0004, 0.0005, 0.0007),
    *(0.001, 0.0015, 0.002, 0.003, 0.005, 0.007),
    *(0.01, 0.015, 0.02, 0.03, 0.05, 0.07),
    *(0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10),
)
# A scenario names a few. One that puts an id into each name would fill Prometheus.
MOST_NAMES = 100
OTHER = "(other)"

# By name: requests that were right, those that failed, the sum of their seconds, and how many were in
# each bucket.
Counted = dict[str, tuple[int, int, float, list[int]]]


class Tally:
    """The requests of one name."""

    def __init__(self) -> None:
        self.ok = self.failed = 0
        self.seconds = Distribution(SECONDS)


class Tallies(Collector):
    """The requests of a load test by name; what `users` returns is shown beside them."""

    def __init__(self, users: Callable[[], int]) -> None:
        self._users = users
        self._tallies: dict[str, Tally] = {}

    def count(self, name: str, seconds: float, failed: bool) -> None:
        """Count a request that has ended."""
        tally = self._of(name)
        tally.seconds.observe(seconds)
        if failed:
            tally.failed += 1
        else:
            tally.ok += 1

    def take(self) -> Counted:
        """Return what was counted, and begin anew: each request is sent to the master once."""
        taken, self._tallies = self._tallies, {}
        return {
            name: (each.ok, each.failed, each.seconds.sum, each.seconds.buckets)
            for name, each in taken.items()
        }

    def add(self, counted: Counted) -> None:
        """Add what another process has taken."""
        for name, (ok, failed, seconds, buckets) in counted.items():
            tally = self._of(name)
            tally.ok += ok
            tally.failed += failed
            tally.seconds.sum += seconds
            for place, more in enumerate(buckets):
                tally.seconds.buckets[place] += more

    def describe(self) -> Iterable[Metric]:
        """Return the families, without series."""
        return self._families({}, [])

    def collect(self) -> Iterator[Metric]:
        """Return the families with a series for each name."""
        return self._families(dict(self._tallies), [self._users()])

    def _of(self, name: str) -> Tally:
        if name not in self._tallies and len(self._tallies) >= MOST_NAMES:
            name = OTHER
        return self._tallies.setdefault(name, Tally())

    def _families(self, tallies: dict[str, Tally], users: list[Any]) -> Iterator[Metric]:
        running = GaugeMetricFamily(
            "flotilla_loadtest_users", "Users who send requests now.", labels=()
        )
        requests = CounterMetricFamily(
            "flotilla_loadtest_requests",
            "Requests that have ended, by whether the reply was right.",
            labels=("name", "result"),
        )
        seconds = HistogramMetricFamily(
            "flotilla_loadtest_request_duration_seconds",
            "From a request to its whole reply, as the user sees it.",
            labels=("name",),
        )
        for count in users:
            running.add_metric((), count)
        for name, each in tallies.items():
            requests.add_metric((name, "ok"), each.ok)
            requests.add_metric((name, "failed"), each.failed)
            seconds.add_metric((name,), each.seconds.cumulative(), each.seconds.sum)
        return iter([running, requests, seconds])
