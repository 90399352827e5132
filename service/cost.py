"""The cost of an engine: timings of a manifest come in, the seconds of a call go out to the batcher."""

from dataclasses import dataclass, field
from math import inf

from service.manifest import Manifest
from service.rows import Rows, TextRows

# Handing a call to the thread and back costs some 40 µs; the loop may well stand still for more.
INLINE_SECONDS = 200e-6


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
