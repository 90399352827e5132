"""One version that is watched: rows that its sampler took come in, counts of bins go out.

Made and looked at by `service.drift.watch`, in its thread.
"""

import logging
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.counting.predicted import OUTPUT
from service.drift.baseline import Feature
from service.drift.binning import Binner
from service.drift.counts import DriftCounts
from service.drift.sampler import CHANCES, MOST_STRIDE, Sampler, Taken
from service.engine import Engine
from service.rows import Rows
from service.shadow.shadow import rest_seconds
from service.version import LoadedVersion

log = logging.getLogger(__name__)

# As many rows are asked for their chances as a call of this length can answer.
CALL_SECONDS = 0.01


class WatchedVersion:
    """One version. All but its sampler belongs to the watch's thread."""

    def __init__(self, version: LoadedVersion, features: tuple[Feature, ...], most_rows: int) -> None:
        self.name = f"{version.name} version {version.number}"
        self.sampler = Sampler(most_rows)
        self.counts = DriftCounts(version.name, version.number, features)
        self._binner = Binner(features)
        # Not the version: it has the sampler, and what refers to itself is freed late or never.
        self._engine: Engine | None = version.engine if has_chances(version) else None
        self._classes = version.signature.classes
        self._most_rows = most_rows
        self._offered = 0
        self._most_asked = 16
        self._ask_at = 0.0

    def look(self, seconds: float, share: float) -> None:
        """Count what was taken in the last `seconds`, and set the pace for what comes.

        The engine, which says how sure it is of rows, works for no more than `share` of the time.
        """
        waiting = self.sampler.waiting
        taken = [waiting.popleft() for _ in range(len(waiting))]
        offered = self.sampler.offered
        rows = sum(len(each.rows) for each in taken)
        if rows:
            every_row = (offered - self._offered) * rows / len(taken)  # had each request been taken
            wanted = every_row / (self._most_rows * max(seconds, 1e-3))
            self.sampler.stride = min(max(round(wanted), 1), MOST_STRIDE)
        elif self.sampler.stride > 1:
            self.sampler.hasten()
        self._offered = offered
        if rows:
            self._count(taken, share)

    def _count(self, taken: list[Taken], share: float) -> None:
        every = taken[0].rows.join([each.rows for each in taken[1:]])
        predictions = [each for one in taken for each in self._predictions(one)]
        try:
            self.counts.bins += self._binner.count(every, predictions)
        except (ValueError, TypeError):  # answers of another kind than the signature has
            self.counts.bins += self._binner.count(every)
        known = [one.columns[CHANCES] for one in taken if CHANCES in one.columns]
        if known:
            self.counts.add_confidences(np.concatenate(known).max(axis=1))
        unknown = [one.rows for one in taken if CHANCES not in one.columns]
        if unknown and self._engine is not None:
            self._ask(self._engine, unknown[0].join(unknown[1:]), share)

    def _predictions(self, one: Taken) -> list[Any]:
        """Return what was answered; of a classifier asked for chances alone, the likeliest class."""
        if OUTPUT in one.columns:
            return one.columns[OUTPUT]
        chances = one.columns.get(CHANCES)
        if chances is None or not self._classes:
            return []
        return [self._classes[place] for place in np.argmax(chances, axis=1)]

    def _ask(self, engine: Engine, rows: Rows, share: float) -> None:
        """Ask the engine for the chances of some rows, and rest after that as long as a shadow does."""
        began = time.monotonic()
        if began < self._ask_at:
            return
        # Taken, which copies: a step of somebody's own may write into what it is given.
        some = rows.take(range(min(len(rows), self._most_asked)))
        try:
            chances: NDArray[Any] = engine.run(some, (CHANCES,))[CHANCES]
            self.counts.add_confidences(np.asarray(chances, dtype=np.float64).max(axis=1))
        except Exception as error:  # whatever a user's model raises
            log.warning("%s: no confidences: %s: %s", self.name, type(error).__name__, error)
            self._engine = None
            return
        worked = time.monotonic() - began
        self._ask_at = began + worked + rest_seconds(worked, share)
        row_seconds = max(worked, 1e-6) / len(some)
        self._most_asked = min(max(int(CALL_SECONDS / row_seconds), 1), self._most_rows)


def has_chances(version: LoadedVersion) -> bool:
    """Tell whether a version gives probabilities of classes."""
    outputs = {each.name: each.shape for each in version.signature.outputs}
    return len(outputs.get(CHANCES, ())) == 2
