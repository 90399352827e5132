"""Shows the plain counts of every version to Prometheus: `Counts` and gates in, metric families out.

Asked at each scrape, in a thread of Flask's, while the event loop goes on counting.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from service.counting.compared import predictions, shadows
from service.counting.counts import STATION_SECONDS, Counts, Distribution, ShadowCounts
from service.counting.families import MODEL, histogram
from service.gate import CacheGate


class CountsCollector(Collector):
    """Shows the plain counts of every version as Prometheus' counters and histograms."""

    def __init__(
        self,
        counts: dict[tuple[str, str], Counts],
        shadowed: dict[tuple[str, str], ShadowCounts],
    ) -> None:
        self._counts = counts
        self._shadowed = shadowed
        self.gates: Mapping[tuple[str, str], CacheGate] = {}  # of what is loaded
        self.lookup_seconds = Distribution(STATION_SECONDS)

    def describe(self) -> Iterable[Metric]:
        """Return the families, without series: their names are looked at once."""
        return self._families({}, {})

    def collect(self) -> Iterator[Metric]:
        """Return the families with a series for each version."""
        return self._families(dict(self._counts), dict(self._shadowed))

    def _families(
        self,
        counts: dict[tuple[str, str], Counts],
        shadowed: dict[tuple[str, str], ShadowCounts],
    ) -> Iterator[Metric]:
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
        yield histogram(
            "flotilla_request_duration_seconds",
            "From the whole request in the application to its reply handed over.",
            ((version, each.request_seconds) for version, each in counts.items()),
        )
        named = [(version, each) for version, each in counts.items() if version[0]]
        for name, help_, of in _HISTOGRAMS:
            yield histogram(name, help_, ((version, of(each)) for version, each in named))
        for name, help_, read in _GATES:
            family = GaugeMetricFamily(name, help_, labels=MODEL)
            for version, gate in self.gates.items():
                family.add_metric(version, read(gate))
            yield family
        lookups = HistogramMetricFamily(
            "flotilla_cache_lookup_duration_seconds",
            "One look-up in Redis, of rows that wait together.",
        )
        lookups.add_metric((), self.lookup_seconds.cumulative(), self.lookup_seconds.sum)
        yield lookups
        yield from predictions(named)
        yield from shadows(shadowed)


_HISTOGRAMS: tuple[tuple[str, str, Callable[[Counts], Distribution]], ...] = (
    (
        "flotilla_parse_duration_seconds",
        "From a request's arrival to its rows being checked; of every 16th.",
        lambda counts: counts.parse_seconds,
    ),
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
    (
        "flotilla_reply_duration_seconds",
        "From the answer to the reply handed over; of every 16th request or so.",
        lambda counts: counts.reply_seconds,
    ),
    ("flotilla_batch_rows", "Rows in one call of the engine.", lambda counts: counts.batch_rows),
)


_GATES: tuple[tuple[str, str, Callable[[CacheGate], float]], ...] = (
    (
        "flotilla_cache_open",
        "1 where rows are looked up in Redis before they are computed.",
        lambda gate: float(gate.open),
    ),
    (
        "flotilla_cache_hit_ratio",
        "Share of the rows looked up lately that were found.",
        lambda gate: gate.hit_rate,
    ),
    (
        "flotilla_cache_lookup_row_seconds",
        "What looking a row up costs, as estimated lately.",
        lambda gate: gate.lookup_seconds,
    ),
    (
        "flotilla_compute_row_seconds",
        "What computing a row costs, as estimated lately.",
        lambda gate: gate.compute_seconds or 0.0,
    ),
)
