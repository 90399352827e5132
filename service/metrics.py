"""What a replica counts. One process, one registry of its own; Prometheus scrapes it at /metrics.

Label values come from the registry of models and from fixed words, never from a client, so that
nobody outside can create series.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from service.counts import Counts, Distribution

MODEL = ("model", "version")


class Metrics:
    """The metrics of one replica."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which no query here uses
        self.registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self.registry.register(collector)
        self._counts: dict[tuple[str, str], Counts] = {}
        self.counted = CountsCollector(self._counts)
        self.registry.register(self.counted)
        self.unknown = self.of("", "")  # requests that named no known version
        self.cache_errors = Counter(
            "flotilla_cache_errors",
            "Calls to Redis that failed, by operation and reason.",
            ("operation", "reason"),
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "flotilla_requests_in_flight",
            "Prediction requests being answered.",
            registry=self.registry,
        )
        self.queue_rows = Gauge(
            "flotilla_queue_rows", "Rows that wait for the engine.", registry=self.registry
        )
        self.model_info = Gauge(
            "flotilla_model_info",
            "1 for each loaded version.",
            (*MODEL, "digest", "engine"),
            registry=self.registry,
        )
        self.ready = Gauge(
            "flotilla_ready", "1 when every routed version is loaded.", registry=self.registry
        )

    def of(self, model: str, version: str) -> Counts:
        """Return the counts of a version; one that is loaded again goes on with its own."""
        return self._counts.setdefault((model, version), Counts())


class CountsCollector(Collector):
    """Shows the plain counts of every version as Prometheus' counters and histograms."""

    def __init__(self, counts: dict[tuple[str, str], Counts]) -> None:
        self._counts = counts

    def describe(self) -> Iterable[Metric]:
        """Return the families, without series: their names are looked at once."""
        return self._families({})

    def collect(self) -> Iterator[Metric]:
        """Return the families with a series for each version."""
        return self._families(dict(self._counts))

    def _families(self, counts: dict[tuple[str, str], Counts]) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "flotilla_requests",
            "Prediction requests answered, by status code.",
            labels=(*MODEL, "protocol", "code"),
        )
        rows = CounterMetricFamily("flotilla_rows", "Rows answered.", labels=MODEL)
        cache_rows = CounterMetricFamily(
            "flotilla_cache_rows",
            "Rows by what the cache did for them: hit, joined, miss, bypass, error.",
            labels=(*MODEL, "result"),
        )
        for version, each in counts.items():
            for (protocol, status), count in list(each.requests.items()):
                requests.add_metric((*version, protocol, str(status)), count)
            for result, count in list(each.cache_rows.items()):
                cache_rows.add_metric((*version, result), count)
            if version[0]:
                rows.add_metric(version, each.rows)
        yield from (requests, rows, cache_rows)
        yield _histogram(
            "flotilla_request_duration_seconds",
            "From the whole request in the application to its reply handed over.",
            ((version, each.request_seconds) for version, each in counts.items()),
        )
        named = [(version, each) for version, each in counts.items() if version[0]]
        for name, help_, of in _HISTOGRAMS:
            yield _histogram(name, help_, ((version, of(each)) for version, each in named))


_HISTOGRAMS: tuple[tuple[str, str, Callable[[Counts], Distribution]], ...] = (
    (
        "flotilla_queue_duration_seconds",
        "From a request's rows in the queue to the call of the engine that takes them.",
        lambda counts: counts.queue_seconds,
    ),
    (
        "flotilla_inference_duration_seconds",
        "One call of the engine.",
        lambda counts: counts.inference_seconds,
    ),
    ("flotilla_batch_rows", "Rows in one call of the engine.", lambda counts: counts.batch_rows),
)


def _histogram(
    name: str, help_: str, series: Iterable[tuple[tuple[str, str], Distribution]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, help_, labels=MODEL)
    for version, distribution in series:
        family.add_metric(version, distribution.cumulative(), distribution.sum)
    return family
