"""How well one version does, as plain numbers: predictions with their labels are added up.

Added to by Flask's threads, shown by `service.feedback.collector`.
"""

import threading
from collections.abc import Iterator
from math import isfinite
from typing import Any, Literal

from service.feedback.task import Task

Outcome = Literal["tp", "fp", "fn"]
RESULTS = ("accepted", "duplicate", "corrected", "unknown_request", "unknown_label")
OUTCOMES: tuple[Outcome, ...] = ("tp", "fp", "fn")
MOST_LABELS = 100  # three series for each, version and replica
OTHER = "(other)"  # a class that the version doesn't know
ALL = "(all)"  # every class of a version that has more than MOST_LABELS


class LabelScores:
    """Of each class: predictions of it that were right and wrong, and how often it was missed.

    A right prediction is one `tp`; a wrong one is an `fp` of what was predicted and an `fn` of what was
    true. So tp + fn over all classes is the number of labels.
    """

    def __init__(self, classes: tuple[Any, ...]) -> None:
        few = len(classes) <= MOST_LABELS
        self._words = {each: str(each) if few else ALL for each in classes}
        self._rest = OTHER if few else ALL
        words = dict.fromkeys([*self._words.values(), self._rest])
        self.counts = {(word, outcome): 0 for word in words for outcome in OUTCOMES}

    def add(self, prediction: Any, label: Any) -> None:
        """Count one prediction."""
        if prediction == label:
            self.counts[self._word(label), "tp"] += 1
        else:
            self.counts[self._word(prediction), "fp"] += 1
            self.counts[self._word(label), "fn"] += 1

    def _word(self, label: Any) -> str:
        try:
            return self._words.get(label, self._rest)
        except TypeError:  # a list, from a model that doesn't keep to its signature
            return self._rest


class NumberScores:
    """Sums of errors: of their size, and of their squares. What isn't finite is left out."""

    def __init__(self) -> None:
        self.values = 0
        self.absolute_error = 0.0
        self.squared_error = 0.0

    def add(self, prediction: Any, label: float) -> None:
        """Add one prediction's error."""
        if not isinstance(prediction, float | int):  # None: it was NaN
            return
        error = abs(prediction - label)
        square = error * error
        if isfinite(square):
            self.values += 1
            self.absolute_error += error
            self.squared_error += square


class FeedbackCounts:
    """The counts of one version; without a task, of what could be laid to no version's charge."""

    def __init__(self, task: Task | None) -> None:
        self._lock = threading.Lock()
        self._results = dict.fromkeys(RESULTS, 0)
        self.labels = LabelScores(task.classes) if task and task.name == "label" else None
        self.numbers = NumberScores() if task and task.name == "number" else None

    def count(self, result: str, times: int = 1) -> None:
        """Count what became of labels, or of a request id."""
        with self._lock:
            self._results[result] += times

    def score(self, prediction: Any, label: Any) -> None:
        """Add a prediction with the label that was accepted for it."""
        scores = self.labels or self.numbers
        if scores is not None:
            with self._lock:
                scores.add(prediction, label)

    def results(self) -> Iterator[tuple[str, int]]:
        """Yield (result, times)."""
        yield from list(self._results.items())
