"""What a version has predicted, as plain numbers: by label, or the moments of a regressor's values.

Two versions that answer alike have alike shares, means and spreads; a new one that drifts away shows it
here before anybody complains. Only the event loop adds, after the reply; `compared.py` reads.
"""

from collections import Counter
from collections.abc import Iterator
from math import isfinite
from operator import mul
from typing import Any

from service.signature import Signature

OUTPUT = "predict"
MOST_LABELS = 100  # a series for each, version and replica
# Of one request, evenly spaced: a batch's rows are enough of a sample, and all of them would take 2 %.
MOST_ROWS = 16


class LabelCounts:
    """Counts rows by predicted label: by those that the signature names and by no other text."""

    __slots__ = ("_counts", "_labels")

    def __init__(self, classes: tuple[Any, ...]) -> None:
        self._labels = {str(label): label for label in classes}
        self._counts: Counter[Any] = Counter(dict.fromkeys(classes, 0))

    def add(self, values: list[Any]) -> None:
        """Count the predictions of rows. What isn't a class is forgotten."""
        counts, values = self._counts, sampled(values)
        try:
            if len(values) == 1:  # most requests; a third of what `update` takes
                counts[values[0]] += 1
            else:
                counts.update(values)
        except TypeError:  # lists, from a model that doesn't keep to its signature
            return
        if len(counts) > len(self._labels):
            known = self._labels.values()
            self._counts = Counter({label: counts[label] for label in known})

    def by_label(self) -> Iterator[tuple[str, int]]:
        """Yield (label, rows) for every class, those never predicted as well. For any thread."""
        counts = self._counts
        for label, value in self._labels.items():
            yield label, counts[value]


class ValueMoments:
    """Sums up predicted numbers: how many, their sum, and that of their squares.

    NaN, infinities, and numbers so large that their square is infinite (1.3e154) are left out.
    """

    __slots__ = ("count", "sum", "sum_of_squares")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.sum_of_squares = 0.0

    def add(self, values: list[Any]) -> None:
        """Add the predictions of rows."""
        values = sampled(values)
        try:
            if len(values) == 1:
                value = values[0]
                squares = value * value
            else:
                squares = sum(map(mul, values, values))
        except TypeError:  # None or lists, from a model that doesn't keep to its signature
            return
        if isfinite(squares):  # then so is each of them
            self.count += len(values)
            self.sum += value if len(values) == 1 else sum(values)
            self.sum_of_squares += squares
        elif len(values) > 1:
            for value in values:
                self.add([value])


def sampled(values: list[Any]) -> list[Any]:
    """Return at most `MOST_ROWS` of a request's values, evenly spaced."""
    rows = len(values)
    return values if rows <= MOST_ROWS else values[:: -(-rows // MOST_ROWS)]


Predicted = LabelCounts | ValueMoments


def predicted(signature: Signature) -> Predicted | None:
    """Return what sums up a version's predictions, or None where nothing of use could be shown."""
    first = signature.outputs[0]
    if first.name != OUTPUT or len(first.shape) > 1:
        return None
    if signature.classes:
        return LabelCounts(signature.classes) if len(signature.classes) <= MOST_LABELS else None
    return ValueMoments() if first.dtype == "float64" else None
