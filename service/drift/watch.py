"""Watches what versions answer while they are loaded: versions come in, a page of counts goes out.

One thread for all versions of a replica looks once a second, in which rows gather. Its priority isn't
lowered ("nice"): it would hold Python's lock while others have the processor, and the event loop would
wait for both.
"""

import logging
import threading
import time
from collections.abc import Collection

from service.drift.baseline import Feature
from service.drift.page import drift_page
from service.drift.sampler import Sampler
from service.drift.watched import WatchedVersion, has_chances
from service.version import LoadedVersion

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
LEAST_PAUSE_SECONDS = 0.1
# Of the time, for which models are asked what clients didn't ask: all versions share it.
SHARE = 0.05


class DriftWatch:
    """The versions of one replica that are watched. `rows_per_second` is for each; 0 watches none."""

    def __init__(self, rows_per_second: int) -> None:
        self._most_rows = rows_per_second
        self._watched: dict[tuple[str, str], WatchedVersion] = {}
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, version: LoadedVersion, features: tuple[Feature, ...]) -> Sampler | None:
        """Return what is to observe a version, or None where there is nothing to be seen.

        `features` may be none: then there are confidences alone. Called in the registry's thread.
        """
        if not self._most_rows or not (features or has_chances(version)):
            return None
        watched = WatchedVersion(version, features, self._most_rows)
        self._watched = {**self._watched, (version.name, version.number): watched}
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="drift", daemon=True)
            self._thread.start()
        return watched.sampler

    def keep(self, held: Collection[tuple[str, str]]) -> None:
        """Forget the versions that are no longer in memory, and their series."""
        self._watched = {key: each for key, each in self._watched.items() if key in held}

    def page(self, openmetrics: bool) -> str:
        """Return what /metrics shows of it. For any thread."""
        return drift_page((each.counts for each in self._watched.values()), openmetrics)

    def close(self, patience_seconds: float) -> None:
        """End the thread, and wait for a call that is on its way; see `Shadows.close`."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(patience_seconds)

    def look(self, seconds: float) -> None:
        """Count what was taken of each version in the last `seconds`."""
        every = list(self._watched.values())
        for watched in every:
            try:
                watched.look(seconds, SHARE / len(every))
            except Exception:  # one version's fault must not end the thread that looks at others
                log.exception("%s: its rows can't be counted", watched.name)

    def _work(self) -> None:
        before, pause = time.monotonic(), EVERY_SECONDS
        while not self._closed.wait(pause):
            began = time.monotonic()
            self.look(began - before)
            before = began
            pause = max(EVERY_SECONDS - (time.monotonic() - began), LEAST_PAUSE_SECONDS)
