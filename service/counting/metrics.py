"""What a replica counts. One process, one registry of its own; Prometheus scrapes it at /metrics.

Label values come from the registry of models and from fixed words, never from a client, so that
nobody outside can create series.
"""

import platform
from importlib.metadata import version as installed

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
)

from service import __version__
from service.counting.collector import CountsCollector
from service.counting.counts import Counts, ShadowCounts

BUILD = ("version", "python", "gunicorn", "numpy")


class Metrics:
    """The metrics of one replica."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which no query here uses
        self.registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self.registry.register(collector)
        self._counts: dict[tuple[str, str], Counts] = {}
        self._shadowed: dict[tuple[str, str], ShadowCounts] = {}
        self.counted = CountsCollector(self._counts, self._shadowed)
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
        self.queue_limit = Gauge(
            "flotilla_queue_limit_rows",
            "Rows that may wait for the engine (MAX_QUEUE_ROWS).",
            registry=self.registry,
        )
        build = Gauge("flotilla_build_info", "1: what runs here.", BUILD, registry=self.registry)
        build.labels(__version__, platform.python_version(), *map(installed, BUILD[2:])).set(1)
        self.build_info = build
        self.connections = Gauge(
            "flotilla_connections",
            "Connections that are open, idle ones as well.",
            registry=self.registry,
        )

    def of(self, model: str, version: str) -> Counts:
        """Return the counts of a version; one that is loaded again goes on with its own."""
        return self._counts.setdefault((model, version), Counts())

    def shadowed(self, model: str, version: str) -> ShadowCounts:
        """Return the counts of a version as a shadow; they go on as well."""
        return self._shadowed.setdefault((model, version), ShadowCounts())
