"""The cost of an engine: timings of a manifest come in, the seconds of a call go out to the batcher."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from service.manifest import Manifest
from service.rows import Rows, TextRows


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a call: `fixed` for the call and `each` for every row.

    A text counts as one row for every `characters` in it.
    """

    fixed: float = inf
    each: float = 0.0
    characters: float = 1.0

    def of(self, batch: Iterable[Rows]) -> float:
        """Return the seconds that one call for all these rows will take."""
        return self.fixed + self.each * sum(map(self._rows, batch))

    def _rows(self, rows: Rows) -> float:
        if isinstance(rows, TextRows):
            return max(len(rows), sum(map(len, rows.values)) / self.characters)
        return len(rows)


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
    characters = 1.0
    if isinstance(typical, TextRows):
        characters = max(1.0, sum(map(len, typical.values)) / len(typical))
    return Cost(fixed / 1e6, each / 1e6, characters)
