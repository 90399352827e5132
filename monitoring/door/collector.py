"""Shows the door's counts to Prometheus."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.door.counts import Counts
from monitoring.door.line import Result

# Shown from the start, so that a rate has something to begin with.
RESULTS: tuple[Result, ...] = ("answered", "failed", "silent", "abandoned")


class DoorCollector(Collector):
    """Shows what `read` returns at each scrape."""

    def __init__(self, read: Callable[[], Counts]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Return the families without what is counted: their names are looked at once."""
        return _families(Counts())

    def collect(self) -> Iterator[Metric]:
        """Return the families."""
        return _families(self._read())


def _families(counts: Counts) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "flotilla_door_requests",
        "Prediction requests that nginx has ended, by who answered: edge, replica or nginx itself.",
        labels=("model", "version", "code", "source"),
    )
    for request, count in counts.requests.items():
        requests.add_metric(request, count)
    attempts = CounterMetricFamily(
        "flotilla_door_attempts",
        "Attempts of nginx to have a replica answer, by what came of them.",
        labels=("result",),
    )
    for result in RESULTS:
        attempts.add_metric((result,), counts.attempts.get(result, 0))
    yield from (requests, attempts)
    yield CounterMetricFamily(
        "flotilla_door_unreadable_lines",
        "Lines of nginx's tally that can't be read, and so aren't counted.",
        value=counts.unreadable,
    )
    yield GaugeMetricFamily(
        "flotilla_door_began_timestamp_seconds",
        "Since when the door has been counting.",
        value=counts.began,
    )
