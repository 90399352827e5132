"""Rows by bin: each value in the one it belongs to, and nothing that a client sends breaks it."""

import math
from bisect import bisect_left
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.drift.baseline import PREDICTED, PREDICTION, Feature, Measure
from service.drift.binning import MEASURES, MOST_CHARACTERS, Binner
from service.rows import TableRows, TensorRows, TextRows
from service.signature import Signature, Tensor


def number(column: int, *edges: float, gaps: bool = False, measure: Measure = "number") -> Feature:
    """Return a feature that is a number."""
    return Feature(name=f"x[{column}]", column=column, measure=measure, edges=edges, gaps=gaps)


def category(column: int, *known: Any, other: bool = True, gaps: bool = False) -> Feature:
    """Return a feature that is a category."""
    return Feature(
        name=f"c{column}", column=column, measure="category", categories=known, other=other, gaps=gaps
    )


def tensor(*rows: list[float]) -> TensorRows:
    """Return rows of numbers."""
    return TensorRows(np.array(rows, dtype=np.float64))


TABLE = Signature(
    "table",
    (Tensor("n", "float64", (-1,), nullable=True), Tensor("c", "string", (-1,), nullable=True)),
    (Tensor("predict", "float64"),),
)


def test_numbers() -> None:
    """An edge belongs to the bin below; what lies outside falls into outer bins, gaps into theirs."""
    binner = Binner([number(1, 1.0, 2.0), number(0, 5.0, gaps=True)])
    rows = tensor([5, -math.inf], [6, 1], [math.nan, 1.5], [math.inf, 2], [-1e308, math.inf])
    assert binner.count(rows).tolist() == [2, 2, 1, 2, 2, 1]


def test_gap_where_none_is_known() -> None:
    """A gap in a feature that has no bin for it is counted nowhere."""
    assert Binner([number(0, 1.0)]).count(tensor([math.nan], [0])).tolist() == [1, 0]


def test_table() -> None:
    """Numbers and categories of a table: an unknown value is another one, a null is missing."""
    binner = Binner([number(0, 1.0, gaps=True), category(1, "a", "b", gaps=True)])
    rows = TableRows(TABLE, [(0.5, "a"), (None, "b"), (2.0, None), (3, "secret"), (1, "a")])
    assert binner.count(rows).tolist() == [2, 2, 1, 2, 1, 1, 1]


def test_truth_values() -> None:
    """Truth values have two bins and no other."""
    signature = Signature("table", (Tensor("b", "bool"),), (Tensor("predict", "float64"),))
    binner = Binner([category(0, False, True, other=False)])
    assert binner.count(TableRows(signature, [(True,), (True,), (False,)])).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("measure", "text", "value"),
    [
        ("characters", "", 0),
        ("characters", "añ😀", 3),
        ("characters", "x" * (MOST_CHARACTERS + 5), MOST_CHARACTERS),
        ("words", " two  words\n", 2),
        ("words", "", 0),
        ("capitals", "ABcd", 0.5),
        ("capitals", "", 0),
        ("digits", "1a2b", 0.5),
    ],
)
def test_measures_of_texts(measure: Measure, text: str, value: float) -> None:
    """A text is measured by its length, its words, and its shares of capitals and digits."""
    assert MEASURES[measure](text) == value
    binner = Binner([number(0, value, measure=measure)])
    assert binner.count(TextRows([text])).tolist() == [1, 0]


def test_free_text_in_a_table() -> None:
    """A column of free text is measured as well; a null is missing."""
    binner = Binner([number(1, 3.0, measure="characters", gaps=True)])
    rows = TableRows(TABLE, [(1.0, "abc"), (1.0, "abcd"), (1.0, None)])
    assert binner.count(rows).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("feature", "predictions", "expected"),
    [
        (
            Feature(name=PREDICTION, column=PREDICTED, measure="number", edges=(2.0,)),
            [1.0, 2, 9],
            [2, 1],
        ),
        (
            Feature(name=PREDICTION, column=PREDICTED, measure="category", categories=("a", "b")),
            ["b", "b", "a", "stranger"],
            [1, 2],
        ),
        (
            Feature(
                name=PREDICTION, column=PREDICTED, measure="category", categories=(0, 1), other=True
            ),
            [1, 1.0, 7],
            [0, 2, 1],
        ),
    ],
)
def test_predictions(feature: Feature, predictions: list[Any], expected: list[int]) -> None:
    """Predictions are binned beside the rows, be they fewer; without any their bins stay at 0."""
    binner = Binner([number(0, 1.0), feature])
    assert binner.count(tensor([0]), predictions).tolist() == [1, 0, *expected]
    assert binner.count(tensor([0])).tolist() == [1, 0, *([0] * len(expected))]


@pytest.mark.parametrize("measure", ["number", "category"])
def test_answers_of_another_kind(measure: Measure) -> None:
    """Lists, from a model that doesn't keep to its signature, are refused by an error that is known."""
    binner = Binner([Feature(name=PREDICTION, column=PREDICTED, measure=measure)])
    with pytest.raises((ValueError, TypeError)):
        binner.count(tensor([0]), [["a"], ["b", "c"]])


def test_nothing_to_count() -> None:
    """A version of which nothing can be binned has no bins."""
    assert Binner([]).count(tensor([1])).tolist() == []


@given(st.lists(st.lists(st.floats(), min_size=3, max_size=3), min_size=1, max_size=30), st.data())
def test_as_one_by_one(rows: list[list[float]], data: st.DataObject) -> None:
    """All at once gives what looking at value after value gives, however many edges a feature has."""
    finite = st.floats(allow_nan=False, allow_infinity=False)
    features = [
        number(column, *sorted(data.draw(st.sets(finite, max_size=9))), gaps=bool(column % 2))
        for column in (2, 0, 1)
    ]
    expected = []
    for feature in features:
        counts = [0] * (feature.size + 1)
        for row in rows:
            value = row[feature.column]
            missing = len(feature.edges) + 1
            counts[missing if math.isnan(value) else bisect_left(feature.edges, value)] += 1
        expected += counts[: feature.size]
    assert Binner(features).count(tensor(*rows)).tolist() == expected
