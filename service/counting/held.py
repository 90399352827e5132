"""Shows what a replica holds and what routes say: the registry in, Prometheus' gauges out.

Asked at each scrape, in a thread of Flask's. The registry's parts are replaced as a whole, never
changed in place, so that a scrape sees each of them complete.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.counting.families import MODEL
from service.versions.registry import Registry
from service.versions.route import Route


class HeldCollector(Collector):
    """Shows the versions in a registry, the routes in force and the room in its folder."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self._registry = registry
        self._folder = folder

    def describe(self) -> Iterable[Metric]:
        """Return the families, without series: their names are looked at once."""
        return [*_versions(Registry()), *_routes({}), *_disk(None)]

    def collect(self) -> Iterator[Metric]:
        """Return the families with what holds now."""
        yield from _versions(self._registry)
        yield from _routes(self._registry.routes)
        yield from _disk(self._folder)


def _versions(registry: Registry) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        "flotilla_model_info", "1 for each loaded version.", labels=(*MODEL, "digest", "engine")
    )
    damaged = GaugeMetricFamily(
        "flotilla_model_damaged",
        "1 for a loaded version whose files are no longer what was published.",
        labels=MODEL,
    )
    refused = GaugeMetricFamily(
        "flotilla_version_refused", "1 for a wanted version that can't be loaded.", labels=MODEL
    )
    refusals, held = registry.refused, registry.held()
    for key in sorted(held):
        version = registry.find(*key)
        if version is not None:  # else it was let go of just now
            info.add_metric((*key, version.manifest.digest[:12], version.engine.name), 1)
            damaged.add_metric(key, key in registry.damaged)
    for key in sorted({*held, *registry.wanted, *refusals}):
        refused.add_metric(key, key in refusals)
    ready = GaugeMetricFamily(
        "flotilla_ready",
        "1 when every version is loaded that clients get.",
        value=not registry.missing(),
    )
    yield from (info, damaged, refused, ready)


def _routes(routes: Mapping[str, Route]) -> Iterator[Metric]:
    share = GaugeMetricFamily(
        "flotilla_route_share", "Share of a model's requests that a version is to get.", labels=MODEL
    )
    changed = GaugeMetricFamily(
        "flotilla_route_changed_timestamp_seconds", "When the route was made.", labels=MODEL[:1]
    )
    breach = GaugeMetricFamily(
        "flotilla_canary_breach_timestamp_seconds",
        "When a canary was rolled back for its figures to make this route; 0: it wasn't.",
        labels=MODEL[:1],
    )
    for model, route in routes.items():
        for version, weight in route.weights.items():
            share.add_metric((model, version), weight / 100)
        made = _seconds(route.time)
        changed.add_metric((model,), made)
        breach.add_metric((model,), made if route.breached else 0)
    yield from (share, changed, breach)


def _seconds(time: str) -> float:
    """Return a route's time as seconds since 1970; 0 where somebody wrote it by hand, and not so."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0


def _disk(folder: Path | None) -> Iterator[Metric]:
    free = GaugeMetricFamily(
        "flotilla_registry_free_bytes", "What the file system of the registry has left.", labels=()
    )
    size = GaugeMetricFamily(
        "flotilla_registry_size_bytes", "How large the file system of the registry is.", labels=()
    )
    if folder is not None:
        try:
            found = os.statvfs(folder)
        except OSError:  # it is away: no number would be right
            pass
        else:
            free.add_metric((), found.f_bavail * found.f_frsize)
            size.add_metric((), found.f_blocks * found.f_frsize)
    yield from (free, size)
