"""Rows and predictions come in, how many of them fell into each bin of each feature goes out.

Used on a version's sample when it is published, and by `service.drift.watch` on what was answered, so
that both fall into the same bins.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.drift.baseline import PREDICTED, Feature
from service.rows import Rows, TableRows, TensorRows, TextRows

# Of a text, what measures look at: the length of a longer one is this.
MOST_CHARACTERS = 10_000
_HEAD = 1000  # whose capitals and digits are counted

Slots = NDArray[np.intp]


class Binner:
    """Counts rows by bin; the bins of all features stand one after the other, `size` in all."""

    def __init__(self, features: Sequence[Feature]) -> None:
        begins = np.cumsum([0, *(each.size for each in features)]).tolist()
        self.size: int = begins[-1]
        placed = list(zip(features, begins, strict=False))
        inputs = [each for each in placed if each[0].column != PREDICTED]
        self._numbers = _Numbers([each for each in inputs if each[0].measure != "category"], self.size)
        self._categories = [
            (feature.column, _Category(feature, begin, self.size))
            for feature, begin in inputs
            if feature.measure == "category"
        ]
        self._predictions = [
            (_Category if feature.measure == "category" else _Number)(feature, begin, self.size)
            for feature, begin in placed
            if feature.column == PREDICTED
        ]

    def count(self, rows: Rows, predictions: Sequence[Any] = ()) -> NDArray[np.int64]:
        """Return the rows in each bin, shape (size,), int64.

        `predictions` need not be those of all rows. Raises `ValueError` or `TypeError` where they
        aren't what the model had given when it was published.
        """
        found = [self._numbers.slots(self._numbers.measured(rows))]
        if isinstance(rows, TableRows):
            for column, category in self._categories:
                found.append(category.slots([row[column] for row in rows.values]))
        if predictions:
            found += [each.slots(predictions) for each in self._predictions]
        # One more for what belongs nowhere.
        counted: NDArray[np.int64] = np.bincount(np.concatenate(found), minlength=self.size + 1)
        return counted[: self.size]


class _Numbers:
    """Features that are numbers, each with the place of its first bin, binned all at once."""

    def __init__(self, placed: Sequence[tuple[Feature, int]], nowhere: int) -> None:
        self._features = [feature for feature, _ in placed]
        self._columns = [feature.column for feature in self._features]
        most = max((len(each.edges) for each in self._features), default=0)
        # Those with fewer edges get some that no number is above.
        self._edges = np.full((len(placed), most), np.inf)
        for place, each in enumerate(self._features):
            self._edges[place, : len(each.edges)] = each.edges
        self._begins = np.array([begin for _, begin in placed], dtype=np.intp)
        gaps = [begin + len(f.edges) + 1 if f.gaps else nowhere for f, begin in placed]
        self._gaps = np.array(gaps, dtype=np.intp)

    def measured(self, rows: Rows) -> NDArray[np.float64]:
        """Return the numbers of rows, shape (rows, features); NaN for what is missing."""
        if not self._features:
            return np.empty((len(rows), 0))
        if isinstance(rows, TensorRows):
            return rows.values[:, self._columns]
        if isinstance(rows, TextRows):
            return self._columns_of([(text,) for text in rows.values])
        assert isinstance(rows, TableRows)
        return self._columns_of(rows.values)

    def _columns_of(self, rows: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
        measured = np.full((len(rows), len(self._features)), np.nan)
        for place, feature in enumerate(self._features):
            measure, column = MEASURES[feature.measure], feature.column
            for at, row in enumerate(rows):
                if row[column] is not None:
                    measured[at, place] = measure(row[column])
        return measured

    def slots(self, values: NDArray[np.float64]) -> Slots:
        """Return the place of the bin of each value, flat."""
        above = np.tile(self._begins, (len(values), 1))
        for edges in self._edges.T:  # ten at most, each of them for all features at once
            above += values > edges
        return np.where(np.isnan(values), self._gaps, above).ravel()


class _Number:
    """A prediction that is a number."""

    def __init__(self, feature: Feature, begin: int, nowhere: int) -> None:
        self._numbers = _Numbers([(feature, begin)], nowhere)

    def slots(self, values: Sequence[Any]) -> Slots:
        """Return the place of the bin of each value."""
        return self._numbers.slots(np.array(values, dtype=np.float64)[:, None])


class _Category:
    """A feature that is a category."""

    def __init__(self, feature: Feature, begin: int, nowhere: int) -> None:
        known = len(feature.categories)
        self._slots: dict[Any, int] = {each: begin + at for at, each in enumerate(feature.categories)}
        self._other = begin + known if feature.other else nowhere
        self._slots[None] = begin + known + feature.other if feature.gaps else nowhere

    def slots(self, values: Sequence[Any]) -> Slots:
        """Return the place of the bin of each value."""
        return np.array([self._slots.get(value, self._other) for value in values], dtype=np.intp)


def _share(of: Callable[[str], bool]) -> Callable[[str], float]:
    def measure(text: str) -> float:
        head = text[:_HEAD]
        return sum(map(of, head)) / len(head) if head else 0.0

    return measure


MEASURES: dict[str, Callable[[Any], float]] = {
    "number": lambda value: value,
    "characters": lambda text: min(len(text), MOST_CHARACTERS),
    "words": lambda text: len(text[:MOST_CHARACTERS].split()),
    "capitals": _share(str.isupper),
    "digits": _share(str.isdigit),
}
