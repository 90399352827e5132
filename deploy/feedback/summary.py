"""How well versions do, from all labels that are kept: counted labels come in, scores go out.

Exact, corrections included; what dashboards show are counters of the last hours, which keep what was
said first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from math import fsum, isfinite, sqrt
from typing import NamedTuple

import msgspec

from deploy.feedback.kept import Kept


class Scores(NamedTuple):
    """The scores of one version: those of a classifier, or those of a regressor."""

    model: str
    version: str
    labels: int
    corrected: int
    accuracy: float | None = None
    f1_macro: float | None = None
    mae: float | None = None
    rmse: float | None = None


def summarise(counted: Iterable[tuple[Kept, int]]) -> Iterator[Scores]:
    """Yield the scores of each version, whose labels must follow each other."""
    for (model, version), labels in groupby(counted, lambda each: (each[0].model, each[0].version)):
        of_it = list(labels)
        score = _numbers if of_it[0][0].task == "number" else _labels
        known = sum(count for _, count in of_it)
        corrected = sum(each.corrections for each, _ in of_it)
        yield score(Scores(model, version, known, corrected), of_it)


def f1_macro(pairs: Counter[tuple[str, str]]) -> float:
    """Return the mean F1 of all classes that were predicted or true, of counted (prediction, label)."""
    predicted, true, right = Counter[str](), Counter[str](), Counter[str]()
    for (prediction, label), count in pairs.items():
        predicted[prediction] += count
        true[label] += count
        if prediction == label:
            right[label] += count
    classes = {*predicted, *true}
    return fsum(2 * right[each] / (predicted[each] + true[each]) for each in classes) / len(classes)


def _labels(scores: Scores, counted: list[tuple[Kept, int]]) -> Scores:
    pairs: Counter[tuple[str, str]] = Counter()
    for each, count in counted:
        pairs[each.prediction, each.label] += count
    right = sum(count for (prediction, label), count in pairs.items() if prediction == label)
    return scores._replace(accuracy=right / scores.labels, f1_macro=f1_macro(pairs))


def _numbers(scores: Scores, counted: list[tuple[Kept, int]]) -> Scores:
    """Score numbers; a prediction that wasn't finite has no error, as in the metrics."""
    errors = []
    for each, count in counted:
        prediction, label = msgspec.json.decode(each.prediction), msgspec.json.decode(each.label)
        error = abs(prediction - label) if prediction is not None else float("inf")
        if isfinite(error * error):
            errors += [error] * count
    if not errors:
        return scores
    square = fsum(error * error for error in errors) / len(errors)
    return scores._replace(mae=fsum(errors) / len(errors), rmse=sqrt(square))
