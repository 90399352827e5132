"""What a replica counts. One process, one registry of its own; Prometheus scrapes it at /metrics.

Label values come from the registry of models and from fixed words, never from a client, so that
nobody outside can create series.
"""

from functools import partial

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from service.version import LoadedVersion

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


class Metrics:
    """The metrics of one replica."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which no query here uses
        self.registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self.registry.register(collector)
        model = ("model", "version")
        self.requests = Counter(
            "flotilla_requests",
            "Prediction requests answered, by status code.",
            (*model, "protocol", "code"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "flotilla_request_duration_seconds",
            "From the first byte read by the application to the reply handed over.",
            model,
            buckets=SECONDS,
            registry=self.registry,
        )
        self.rows = Counter("flotilla_rows", "Rows answered.", model, registry=self.registry)
        self.inference_seconds = Histogram(
            "flotilla_inference_duration_seconds",
            "One call of the engine.",
            model,
            buckets=SECONDS,
            registry=self.registry,
        )
        self.batch_rows = Histogram(
            "flotilla_batch_rows",
            "Rows in one call of the engine.",
            model,
            buckets=ROWS,
            registry=self.registry,
        )
        self.cache_rows = Counter(
            "flotilla_cache_rows",
            "Rows by what the cache did for them: hit, joined, miss, bypass, error.",
            ("model", "result"),
            registry=self.registry,
        )
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
            (*model, "digest", "engine"),
            registry=self.registry,
        )
        self.ready = Gauge(
            "flotilla_ready", "1 when every routed version is loaded.", registry=self.registry
        )
        self._of: dict[tuple[str, str], VersionMetrics] = {}

    def of(self, version: LoadedVersion | None) -> "VersionMetrics":
        """Return the metrics of a version, or of requests that named no known one."""
        key = (version.name, version.number) if version else ("", "")
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = VersionMetrics(self, *key)
        return found


class VersionMetrics:
    """The metrics of one version, looked up once: each look-up by labels costs a microsecond."""

    def __init__(self, metrics: Metrics, model: str, version: str) -> None:
        self.request_seconds = metrics.request_seconds.labels(model, version)
        self.rows = metrics.rows.labels(model, version)
        self._inference_seconds = metrics.inference_seconds.labels(model, version)
        self._batch_rows = metrics.batch_rows.labels(model, version)
        self._request_counter = partial(metrics.requests.labels, model, version)
        self._requests: dict[tuple[str, int], Counter] = {}
        self._cache_counter = partial(metrics.cache_rows.labels, model)
        self._cache_rows: dict[str, Counter] = {}

    def answered(self, protocol: str, status: int) -> None:
        """Count a request."""
        counter = self._requests.get((protocol, status))
        if counter is None:
            counter = self._request_counter(protocol, str(status))
            self._requests[protocol, status] = counter
        counter.inc()

    def cached(self, result: str, rows: int) -> None:
        """Count what the cache did for rows."""
        counter = self._cache_rows.get(result)
        if counter is None:
            counter = self._cache_rows[result] = self._cache_counter(result)
        counter.inc(rows)

    def inferred(self, seconds: float, rows: int) -> None:
        """Count one call of the engine."""
        self._inference_seconds.observe(seconds)
        self._batch_rows.observe(rows)
