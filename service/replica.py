"""A replica, put together: settings come in, the parts that belong to one process come out.

Made in the worker after gunicorn forked it: threads, connections and models don't survive a fork.
"""

import gc
import threading
from pathlib import Path

from service.batching import Batcher
from service.cache import RowCache
from service.cost import expected_row_seconds
from service.counting.held import HeldCollector
from service.counting.last_words import LastWords
from service.counting.metrics import Metrics
from service.counting.predicted import predicted
from service.gate import CacheGate
from service.observers import Observers
from service.predict import Predictor
from service.settings import Settings
from service.shadow.shadows import Shadows
from service.version import LoadedVersion
from service.versions.follower import Follower
from service.versions.load_mark import LoadMark
from service.versions.registry import Registry
from service.versions.report import Reporter

STOP_SECONDS = 1.0  # for what is on its way in each of the threads beside the loop


class Replica:
    """The parts of a replica. `start` and `stop` run in its event loop."""

    def __init__(self, settings: Settings, mark: LoadMark | None = None) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.registry = Registry()
        self.metrics.registry.register(HeldCollector(self.registry, settings.registry_dir))
        self._shadows = Shadows(settings, self.metrics.shadowed)
        self.observers = Observers(settings, self.registry, self.metrics.registry)
        self._follower = Follower(
            settings.registry_dir,
            self.registry,
            settings.max_loaded_versions,
            mark or LoadMark(),
            self._watch,
            self._notice,
        )
        self._reporter = self._make_reporter()
        self._last_words = self._make_last_words()
        self._cache = self._make_cache()
        self.cached = self._cache is not None
        self._batcher = Batcher(settings.max_queue_rows, settings.max_batch_rows)
        self.metrics.queue_rows.set_function(lambda: self._batcher.queued_rows)
        self.metrics.queue_limit.set(settings.max_queue_rows)
        self.predictor = Predictor(self._batcher, self._cache, settings.request_timeout_ms / 1000)

    async def start(self) -> None:
        """Begin to load what the routes name; requests get 503 until their version is there."""
        threading.Thread(target=self._follower.follow_forever, name="registry", daemon=True).start()
        if self._reporter:
            self._reporter.start()
        if self._last_words:
            self._last_words.begin()
        self.observers.start()
        if self._cache is not None:
            await self._cache.open()

    async def stop(self) -> None:
        """Let go of everything."""
        self._follower.stop()
        if self._reporter:
            self._reporter.stop()
        self._shadows.close(STOP_SECONDS)
        self.observers.stop(STOP_SECONDS)
        self._batcher.close()
        if self._cache is not None:
            await self._cache.close()

    def say_last_words(self) -> None:
        """Leave behind what has been counted; the event loop has ended."""
        if self._last_words:
            self._last_words.end()

    def _make_last_words(self) -> LastWords | None:
        settings = self.settings
        if not settings.reports_dir:
            return None
        folder = Path(settings.reports_dir)
        return LastWords(folder, settings.replica_name, self.metrics.registry)

    def _make_reporter(self) -> Reporter | None:
        settings = self.settings
        if not settings.reports_dir:
            return None
        return Reporter(Path(settings.reports_dir), settings.replica_name, self.registry)

    def _make_cache(self) -> RowCache | None:
        settings = self.settings
        modes = {settings.cache, *dict(settings.cache_by_model).values()}
        if modes == {"off"} or not settings.redis_url:
            return None
        errors = self.metrics.cache_errors
        return RowCache(
            settings.redis_url,
            settings.cache_ttl_seconds,
            settings.cache_timeout_ms / 1000,
            lambda operation, reason: errors.labels(operation, reason).inc(),
            self.metrics.counted.lookup_seconds.observe,
        )

    def _watch(self, version: LoadedVersion) -> None:
        """Count a new version's engine calls, and keep the garbage collector from walking over it.

        Libraries and models are some 150,000 objects that stay: a full collection stopped every
        request for 80 ms, several times a second under load (p99 84 ms, frozen 6 ms).
        """
        gc.freeze()
        version.counts = counts = self.metrics.of(version.name, version.number)
        if counts.predicted is None:  # else it was loaded before
            counts.predicted = predicted(version.signature)
        self.observers.attach(version)
        mode = dict(self.settings.cache_by_model).get(version.name, self.settings.cache)
        version.gate = CacheGate(mode, expected_row_seconds(version.manifest))
        route = self.registry.routes.get(version.name)
        before = self.registry.find(version.name, route.primary) if route else None
        if before is not None:
            version.gate.succeed(before.gate)

    def _notice(self, registry: Registry) -> None:
        """Draw what follows from a change of routes, or of what is loaded."""
        self._cast_shadows(registry)
        self.observers.keep(registry.held())
        self._show_gates(registry)

    def _cast_shadows(self, registry: Registry) -> None:
        """Give each version that answers the shadow of its route, where that is loaded."""
        cast = set()
        for model, number in registry.held():
            version = registry.get(model, number, routed=False)
            route = registry.routes.get(model)
            shadow = registry.find(model, route.shadow) if route else None
            if route and shadow and shadow is not version and number in route.answering:
                version.shadow = self._shadows.shadow_of(shadow)
                cast.add(version.shadow)
            else:
                version.shadow = None
        self._shadows.close_all_but(cast)

    def _show_gates(self, registry: Registry) -> None:
        """Show in the metrics the gates of what is loaded."""
        gates = {}
        for model, number in sorted(registry.held()):
            if self._cache is not None:
                gates[model, number] = registry.get(model, number, routed=False).gate
        self.metrics.counted.gates = gates
