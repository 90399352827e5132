"""The cost of an engine: timings of a manifest come in, the seconds of a call go out to the batcher."""

from dataclasses import dataclass, field
from math import inf

from service.manifest import Manifest
from service.rows import Rows, TextRows

# Handing a call to the thread and back costs some 40 µs; the loop may well stand still for more.
INLINE_SECONDS = 200e-6
# An old call's weight after each new one: the last fifty or so count.
KEPT = 0.98


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a call: `fixed` for the call and `each` for every row.

    A text counts as one row for every `characters` in it. `inline_rows` is how many rows a call on
    the loop may have, 0 where none may run there.
    """

    fixed: float = inf
    each: float = 0.0
    characters: float = 0.0
    inline_rows: float = field(init=False)

    def __post_init__(self) -> None:
        spare = INLINE_SECONDS - self.fixed
        rows = 0.0 if spare < self.each else inf if not self.each else spare / self.each
        object.__setattr__(self, "inline_rows", rows)

    def rows(self, rows: Rows, count: int) -> float:
        """Return how many typical rows these `count` rows are."""
        if self.characters and isinstance(rows, TextRows):
            return max(count, sum(map(len, rows.values)) / self.characters)
        return count


class CallCost:
    """What a call costs however many rows it has, learned from calls of different sizes.

    A straight line through (rows, seconds) by least squares; an older call weighs less and less.
    """

    __slots__ = ("_rows", "_rows_rows", "_rows_seconds", "_seconds", "_weight")

    def __init__(self) -> None:
        self._weight = self._rows = self._seconds = self._rows_rows = self._rows_seconds = 0.0

    def learn(self, seconds: float, rows: int) -> None:
        """Learn from a call."""
        self._weight = self._weight * KEPT + 1.0
        self._rows = self._rows * KEPT + rows
        self._seconds = self._seconds * KEPT + seconds
        self._rows_rows = self._rows_rows * KEPT + rows * rows
        self._rows_seconds = self._rows_seconds * KEPT + rows * seconds

    @property
    def fixed(self) -> float:
        """Seconds of a call without a row; all of it as long as all calls have been equally large."""
        if not self._weight:
            return 0.0
        rows, seconds = self._rows / self._weight, self._seconds / self._weight
        spread = self._rows_rows / self._weight - rows * rows
        if spread < 1e-6 * rows * rows:
            return seconds
        each = (self._rows_seconds / self._weight - rows * seconds) / spread
        return min(seconds, max(0.0, seconds - each * rows))


def expected_row_seconds(manifest: Manifest) -> float | None:
    """Return what computing one row alone took when the version was published, if it was timed."""
    timings = manifest.compilation.timings_us.get(manifest.engine)
    return timings[min(timings)] / 1e6 if timings else None


def expected_cost(manifest: Manifest, typical: Rows) -> Cost:
    """Return the cost of a compiled version; `typical` are rows such as those it was timed with.

    Without timings, and in scikit-learn, where a user's own code may take any time, it is infinite.
    """
    timings = manifest.compilation.timings_us.get(manifest.engine, {})
    if manifest.engine == "sklearn" or len(timings) < 2:
        return Cost()
    few, many = min(timings), max(timings)
    each = max(0.0, timings[many] - timings[few]) / (many - few)
    fixed = max(0.0, timings[few] - each * few)
    characters = 0.0
    if isinstance(typical, TextRows):
        characters = max(1.0, sum(map(len, typical.values)) / len(typical))
    return Cost(fixed / 1e6, each / 1e6, characters)
