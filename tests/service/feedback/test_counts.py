"""Tests of service/feedback/counts.py: predictions and labels become counts."""

from math import inf

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from service.feedback.counts import ALL, OTHER, FeedbackCounts, LabelScores, NumberScores
from service.feedback.task import Task


def test_labels_are_counted_as_a_confusion_matrix_says() -> None:
    """tp, fp and fn of each class are scikit-learn's, and tp + fn are all labels."""
    rng = np.random.default_rng(0)
    truth, predicted = (rng.integers(0, 4, 500).tolist() for _ in range(2))
    scores = LabelScores((0, 1, 2, 3))
    for prediction, label in zip(predicted, truth, strict=True):
        scores.add(prediction, label)
    matrix = confusion_matrix(truth, predicted)
    for each in range(4):
        right = matrix[each, each]
        assert scores.counts[str(each), "tp"] == right
        assert scores.counts[str(each), "fp"] == matrix[:, each].sum() - right
        assert scores.counts[str(each), "fn"] == matrix[each].sum() - right
    assert sum(n for (_, outcome), n in scores.counts.items() if outcome != "fp") == 500


def test_an_unknown_class_is_a_miss() -> None:
    """What the version can't know counts as wrong, under a fixed word; no label makes a series."""
    scores = LabelScores(("a", "b"))
    before = set(scores.counts)
    for label in ("x", "y", "a"):
        scores.add("a", label)
    assert scores.counts[OTHER, "fn"] == 2
    assert scores.counts["a", "fp"] == 2
    assert scores.counts["a", "tp"] == 1
    assert set(scores.counts) == before


def test_many_classes_share_a_series() -> None:
    """Beyond a hundred classes right and wrong are told apart, and nothing else."""
    scores = LabelScores(tuple(range(101)))
    scores.add(1, 1)
    scores.add(1, 100)
    scores.add(1, 999)
    assert scores.counts == {(ALL, "tp"): 1, (ALL, "fp"): 2, (ALL, "fn"): 2}
    assert (ALL, "tp") not in LabelScores(tuple(range(100))).counts


def test_a_prediction_that_is_no_class() -> None:
    """A model that answers lists against its signature is wrong, and breaks nothing."""
    scores = LabelScores(("a", "b"))
    scores.add(["a"], "a")
    assert scores.counts[OTHER, "fp"] == scores.counts["a", "fn"] == 1


def test_errors_of_numbers() -> None:
    """Sizes and squares of errors are summed up; what isn't finite is left out."""
    scores = NumberScores()
    for prediction in (1.0, 4.0, None, inf, 1e200, [1.0]):
        scores.add(prediction, 2.0)
    assert (scores.values, scores.absolute_error, scores.squared_error) == (2, 3.0, 5.0)


@pytest.mark.parametrize("task", [None, Task("int64", (0, 1)), Task("float64", ())])
def test_counts_of_a_version(task: Task | None) -> None:
    """What became of labels is counted whatever a version predicts; scores are those of its task."""
    counts = FeedbackCounts(task)
    counts.count("accepted")
    counts.count("unknown_request", 3)
    counts.score(1, 1)
    assert dict(counts.results()) == {
        "accepted": 1,
        "duplicate": 0,
        "corrected": 0,
        "unknown_request": 3,
        "unknown_label": 0,
    }
    assert (counts.labels is not None) == (task is not None and task.name == "label")
    assert (counts.numbers is not None) == (task is not None and task.name == "number")
