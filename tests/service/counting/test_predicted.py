"""What a version has predicted: labels of the signature, moments of finite numbers, or nothing."""

from math import inf, nan

import pytest

from service.counting.predicted import (
    MOST_LABELS,
    MOST_ROWS,
    LabelCounts,
    ValueMoments,
    predicted,
    sampled,
)
from service.signature import Signature, Tensor

X = (Tensor("x", "float64", (-1, 2)),)


def signature(output: Tensor, classes: tuple[object, ...] = ()) -> Signature:
    """Return a signature with one output."""
    return Signature("tensor", X, (output,), classes)


@pytest.mark.parametrize(
    ("classes", "answers", "expected"),
    [
        (("ham", "spam"), [["spam"], ["ham", "spam", "spam"]], {"ham": 1, "spam": 3}),
        ((0, 1, 2), [[2, 2], [0]], {"0": 1, "1": 0, "2": 2}),
        ((False, True), [[True]], {"False": 0, "True": 1}),
        ((1.0, 2.5), [[2.5, 1]], {"1.0": 1, "2.5": 1}),
    ],
)
def test_labels(classes: tuple[object, ...], answers: list[list[object]], expected: object) -> None:
    """Rows are counted by label, one alone or many; a class that nobody got has its 0."""
    counts = LabelCounts(classes)
    for values in answers:
        counts.add(values)
    assert dict(counts.by_label()) == expected


@pytest.mark.parametrize("values", [["secret"], ["secret", "spam"], [["ham"]], [["ham"], ["spam"]]])
def test_strangers_get_no_series(values: list[object]) -> None:
    """What isn't a class is neither shown nor kept, whatever a model makes up, and breaks nothing."""
    counts = LabelCounts(("ham", "spam"))
    counts.add(["ham"])
    counts.add(values)
    assert dict(counts.by_label()) == {"ham": 1, "spam": values.count("spam")}
    assert set(counts._counts) == {"ham", "spam"}


@pytest.mark.parametrize(
    ("answers", "count", "total", "squares"),
    [
        ([[2.0]], 1, 2.0, 4.0),
        ([[2.0], [1.0, -4.0]], 3, -1.0, 21.0),
        ([[nan], [inf], [-inf]], 0, 0.0, 0.0),
        ([[nan, 3.0, inf, 1.0]], 2, 4.0, 10.0),
        ([[1e200], [1e200, 2.0]], 1, 2.0, 4.0),
        ([[1e154, 1e154]], 2, 2e154, 2e308),
        ([[3]], 1, 3.0, 9.0),
        ([[None], [None, 1.0], [[1.0, 2.0]], ["a", "b"]], 0, 0.0, 0.0),
    ],
)
def test_moments(answers: list[list[float]], count: int, total: float, squares: float) -> None:
    """Finite numbers are summed up, alone or many; one that isn't takes no other with it."""
    moments = ValueMoments()
    for values in answers:
        moments.add(values)
    assert (moments.count, moments.sum, moments.sum_of_squares) == (count, total, squares)


@pytest.mark.parametrize(
    ("output", "classes", "kind"),
    [
        (Tensor("predict", "string"), ("ham", "spam"), LabelCounts),
        (Tensor("predict", "int64"), tuple(range(MOST_LABELS)), LabelCounts),
        (Tensor("predict", "int64"), tuple(range(MOST_LABELS + 1)), type(None)),
        (Tensor("predict", "float64"), (1.0, 2.0), LabelCounts),
        (Tensor("predict", "float64"), (), ValueMoments),
        (Tensor("predict", "float64", (-1, 2)), (), type(None)),
        (Tensor("predict", "int64"), (), type(None)),
        (Tensor("predict", "string", (-1, 3)), (), type(None)),
        (Tensor("transform", "float64"), (), type(None)),
    ],
)
def test_what_is_summed_up(output: Tensor, classes: tuple[object, ...], kind: type) -> None:
    """A classifier's labels unless there are too many, one number a row, and nothing else."""
    assert type(predicted(signature(output, classes))) is kind


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        (0, []),
        (1, [0]),
        (MOST_ROWS, list(range(MOST_ROWS))),
        (MOST_ROWS + 1, list(range(0, MOST_ROWS + 1, 2))),
        (64, list(range(0, 64, 4))),
    ],
)
def test_of_a_batch_some_rows(rows: int, taken: list[int]) -> None:
    """Of a large request as many rows as are enough, from all over it; of a small one all."""
    assert sampled(list(range(rows))) == taken
    counts = LabelCounts(tuple(range(64)))
    moments = ValueMoments()
    if rows:
        counts.add(list(range(rows)))
        moments.add([float(value) for value in range(rows)])
    assert [int(label) for label, count in counts.by_label() if count] == taken
    assert (moments.count, moments.sum) == (len(taken), sum(taken))
