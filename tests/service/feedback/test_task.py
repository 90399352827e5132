"""Tests of service/feedback/task.py: what a label has to be."""

from typing import Any

import pytest

from service.errors import BadInput
from service.feedback.task import MOST_CHARACTERS, task_of
from service.signature import DType, Signature, Tensor


def signature(dtype: DType, classes: tuple[Any, ...] = (), shape: tuple[int, ...] = (-1,)) -> Signature:
    """Return the signature of a model that predicts such values."""
    row = (Tensor("x", "float64", (-1, 2)),)
    return Signature("tensor", row, (Tensor("predict", dtype, shape),), classes)


@pytest.mark.parametrize(
    ("dtype", "classes", "given", "label"),
    [
        ("int64", (0, 1), 1, 1),
        ("int64", (0, 1), 1.0, 1),
        ("int64", (0, 1), 7, 7),
        ("float64", (0.0, 1.0), 1, 1.0),
        ("string", ("ham", "spam"), "spam", "spam"),
        ("bool", (False, True), True, True),
        ("float64", (), 3, 3.0),
        ("float64", (), -2.5, -2.5),
    ],
)
def test_a_label_of_the_right_type(dtype: DType, classes: tuple, given: object, label: object) -> None:
    """It comes in the type of the predictions, so that equal ones are the same; unknown classes too."""
    read = task_of(signature(dtype, classes)).read(given, "label")
    assert (read, type(read)) == (label, type(label))


@pytest.mark.parametrize(
    ("dtype", "classes", "given", "words"),
    [
        ("int64", (0, 1), True, "labels[2]: expected a whole number, got true"),
        ("int64", (0, 1), 0.5, "labels[2]: expected a whole number, got 0.5"),
        ("int64", (0, 1), "1", "labels[2]: expected a whole number, got the string '1'"),
        ("int64", (0, 1), None, "labels[2]: expected a whole number, got null"),
        ("int64", (0, 1), 2**63, "labels[2]: expected a whole number, got 9223372036854775808"),
        ("string", ("a", "b"), 1, "got 1"),
        ("string", ("a", "b"), "x" * (MOST_CHARACTERS + 1), "a string of at most 256 characters"),
        ("bool", (False, True), 1, "labels[2]: expected true or false, got 1"),
        ("float64", (), None, "labels[2]: expected a number, got null"),
        ("float64", (), False, "labels[2]: expected a number, got false"),
        ("float64", (), float("nan"), "labels[2]: expected a number, got nan"),
        ("float64", (), 10**400, "labels[2]: expected a number, got 10000"),
        ("float64", (), [1], "labels[2]: expected a number, got a list of 1"),
    ],
)
def test_a_label_of_the_wrong_type(dtype: DType, classes: tuple, given: object, words: str) -> None:
    """It is refused with its place, what was expected and what came."""
    with pytest.raises(BadInput) as refused:
        task_of(signature(dtype, classes)).read(given, "labels[2]")
    assert words in refused.value.message


def test_classes_that_are_known() -> None:
    """A class that the version can't predict is told from one that it can; a number is always known."""
    task = task_of(signature("string", ("ham", "spam")))
    assert task.knows("spam")
    assert not task.knows("eggs")
    assert task_of(signature("float64")).knows(17.0)


@pytest.mark.parametrize(
    "other",
    [
        signature("int64"),  # a cluster
        signature("float64", shape=(-1, 3)),
        Signature("text", (Tensor("text", "string"),), (Tensor("transform", "float64", (-1, 3)),)),
    ],
)
def test_what_no_label_can_be_compared_with(other: Signature) -> None:
    """A cluster's number, several values a row, or no prediction at all is no task."""
    assert task_of(other) is None
