"""The observers of one replica: versions come in as they are loaded, and get whoever looks on.

Drift, feedback and the log of inputs, each with a thread of its own. Made by `service.replica`.
"""

from collections.abc import Collection

from prometheus_client import CollectorRegistry

from service.drift.baseline import read_features
from service.drift.watch import DriftWatch
from service.feedback.judge import Feedback
from service.input_log import InputLog
from service.observer import Observer
from service.settings import Settings
from service.version import LoadedVersion
from service.versions.registry import Registry
from service.versions.wanted import Key


class Observers:
    """Whoever looks on while versions answer."""

    def __init__(self, settings: Settings, registry: Registry, shown: CollectorRegistry) -> None:
        self._settings = settings
        self.drift = DriftWatch(settings.drift_rows_per_second)
        self.feedback = Feedback(settings, registry)
        self._input_log = InputLog(settings.log_input_share)
        shown.register(self.feedback.collector)

    def attach(self, version: LoadedVersion) -> None:
        """Let all that want to look on while a version answers."""
        wanted = (
            self._drift_of(version),
            self.feedback.observer_of(version),
            self._input_log.observer_of(version),
        )
        version.observers = tuple(each for each in wanted if each is not None)

    def keep(self, held: Collection[Key]) -> None:
        """Forget what is known of versions that are no longer held."""
        self.drift.keep(held)

    def start(self) -> None:
        """Begin."""
        self.feedback.start()

    def stop(self, patience_seconds: float) -> None:
        """End, once what waits has been written."""
        self.drift.close(patience_seconds)
        self._input_log.close(patience_seconds)
        self.feedback.stop()

    def _drift_of(self, version: LoadedVersion) -> Observer | None:
        """Return what compares a version with the baseline that it was published with."""
        folder = self._settings.registry_dir / version.name / version.number
        features = read_features(folder, version.manifest, self._settings.drift_max_features)
        return self.drift.watch(version, features)
