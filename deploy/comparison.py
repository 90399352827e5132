"""How two versions' answers differ: a list of answers from each comes in, counts and spreads go out.

Labels are counted in pairs, of numbers the differences are summed up. Called by `deploy.compare`.
"""

from collections import Counter
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

MOST_EXAMPLES = 5


class Side(Struct, frozen=True):
    """One version: its engine, microseconds a row, and to how many rows it had no answer, and why."""

    version: int
    engine: str
    row_us: float | None
    failed: int
    reason: str = ""


class Pair(Struct, frozen=True):
    """How many rows have one label from the first version and another from the second."""

    first: Any
    second: Any
    rows: int


class Spread(Struct, frozen=True):
    """Differences of numbers, over all rows that both answer."""

    mean: float
    median: float
    p99: float
    max: float


class Example(Struct, frozen=True):
    """A row that differs, counted from 0, and both answers; None is no answer."""

    row: int
    first: Any
    second: Any


class Comparison(Struct, frozen=True, kw_only=True):
    """What `compare` found. `rate` is the share of rows that differ, from 0 to 1.

    `pairs` is for labels: every pair that differs, the most frequent first. For numbers there are
    `absolute` and `relative` differences, the latter a share of the larger number. `signature` says
    what else clients of the first version would notice, such as a further output that is gone.
    """

    model: str
    output: str
    first: Side
    second: Side
    rows: int
    disagreeing: int
    rate: float
    tolerance: float
    pairs: list[Pair] = []
    absolute: Spread | None = None
    relative: Spread | None = None
    examples: list[Example] = []
    signature: list[str] = []


class Difference(Struct, frozen=True):
    """The places of the rows that differ; pairs of labels, or the spread of numbers."""

    places: list[int]
    pairs: list[Pair] = []
    absolute: Spread | None = None
    relative: Spread | None = None

    def examples(self, first: list[Any], second: list[Any]) -> list[Example]:
        """Return the first rows that differ, with their answers."""
        return [Example(i, first[i], second[i]) for i in self.places[:MOST_EXAMPLES]]


def differ_in_labels(first: list[Any], second: list[Any]) -> Difference:
    """Compare two lists of labels of equal length, where None is no answer."""
    both = list(zip(first, second, strict=True))
    places = [place for place, (one, two) in enumerate(both) if one != two]
    return Difference(places, _pairs([both[place] for place in places]))


def differ_in_numbers(first: list[Any], second: list[Any], tolerance: float) -> Difference:
    """Compare two lists of numbers, or of equally long lists of them, where None is no answer.

    Two numbers are alike within `tolerance` of the larger one, or where both are NaN.
    """
    differ = [one != two for one, two in zip(first, second, strict=True)]
    both = [i for i, pair in enumerate(zip(first, second, strict=True)) if None not in pair]
    if not both:
        return Difference([i for i, differs in enumerate(differ) if differs])
    one, two = (np.array([side[i] for i in both]).reshape(len(both), -1) for side in (first, second))
    with np.errstate(all="ignore"):  # infinities and NaN, which a model may give
        absolute, scale = np.abs(one - two), np.maximum(np.abs(one), np.abs(two))
        close = (absolute <= tolerance * scale) & np.isfinite(absolute)
        same = close | (one == two) | (np.isnan(one) & np.isnan(two))
        relative = np.divide(absolute, scale, out=np.zeros_like(absolute), where=scale != 0)
    for i, alike in zip(both, same.all(axis=1).tolist(), strict=True):
        differ[i] = not alike
    places = [place for place, differs in enumerate(differ) if differs]
    return Difference(places, absolute=_spread(absolute), relative=_spread(relative))


def _pairs(labels: list[tuple[Any, Any]]) -> list[Pair]:
    # Several labels for a row are a list, which can't be counted as it is.
    keys = [tuple(msgspec.json.encode(label) for label in pair) for pair in labels]
    counts = Counter(keys)
    known = dict(zip(keys, labels, strict=True))
    return [Pair(*known[key], rows) for key, rows in counts.most_common()]


def _spread(given: NDArray[np.float64]) -> Spread | None:
    values = given[np.isfinite(given)]
    if not values.size:
        return None
    return Spread(*map(float, (values.mean(), *np.percentile(values, [50, 99, 100]))))
