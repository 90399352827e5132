"""Rows: picked, joined, and written as bytes that only an equal row has."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rows import Rows, TableRows, TensorRows, TextRows
from service.signature import Signature, Tensor

COLUMNS = (
    Tensor("size", "float64", nullable=True),
    Tensor("city", "string", nullable=True),
    Tensor("n", "int64"),
    Tensor("new", "bool"),
    Tensor("seen", "bool", nullable=True),
)
TABLE = Signature("table", COLUMNS, (Tensor("predict", "float64"),))
# Two string columns, where "a" + "bc" must not look like "ab" + "c".
TEXTS = Signature("table", (Tensor("a", "string"), Tensor("b", "string")), TABLE.outputs)


def tensor(*rows: list[float]) -> TensorRows:
    """Return rows of a tensor model."""
    return TensorRows(np.array(rows, dtype=np.float64))


KINDS: list[tuple[str, Rows, list[Any]]] = [
    ("tensor", tensor([1, 2], [3, 4], [5, 6]), [[1, 2], [3, 4], [5, 6]]),
    ("text", TextRows(["a", "", "ü"]), ["a", "", "ü"]),
    ("table", TableRows(TEXTS, [("a", "b"), ("c", "d"), ("e", "f")]), list("ace")),
]


def plain(rows: Rows) -> list[Any]:
    """Return what the model is given, or a table's first column of it, as a list."""
    given_to_model = rows.model_input()
    if isinstance(given_to_model, pd.DataFrame):
        return given_to_model["a"].tolist()
    return [each if isinstance(each, str) else list(each) for each in given_to_model]


@pytest.mark.parametrize(("kind", "rows", "values"), KINDS)
def test_take(kind: str, rows: Rows, values: list[Any]) -> None:
    """Any rows can be picked, in any order, also twice."""
    assert len(rows) == 3
    picked = rows.take([2, 0, 2])
    assert plain(picked) == [values[2], values[0], values[2]]
    assert picked.canonical() == [rows.canonical()[i] for i in (2, 0, 2)]


@pytest.mark.parametrize(("kind", "rows", "values"), KINDS)
def test_join(kind: str, rows: Rows, values: list[Any]) -> None:
    """Joined rows are these, followed by the others, in order."""
    joined = rows.take([1]).join([rows.take([0, 2]), rows])
    assert len(joined) == 6
    assert plain(joined) == [values[1], values[0], values[2], *values]
    assert len(rows) == 3, "what was joined is left as it was"


def test_table_reaches_the_model_typed() -> None:
    """A table's columns have their names and dtypes; what is missing is NaN, or None for a boolean."""
    frame = TableRows(TABLE, [(1.5, "Rome", 1, True, None), (None, None, 2, False, True)]).model_input()
    assert list(frame.columns) == ["size", "city", "n", "new", "seen"]
    assert [str(dtype) for dtype in frame.dtypes] == ["float64", "str", "int64", "bool", "object"]
    assert frame["size"].isna().tolist() == [False, True]
    assert frame["city"][0] == "Rome"
    assert frame["city"].isna().tolist() == [False, True]
    assert frame["seen"].tolist() == [None, True]


def distinct(row: Any) -> Any:
    """Return something that differs where a model could tell rows apart: 1 and True, 0.0 and -0.0."""
    return tuple(
        (type(value).__name__, value, np.signbit(value) if isinstance(value, float) else None)
        for value in row
    )


CELLS = st.tuples(
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.none() | st.booleans(),
)


@given(CELLS, CELLS)
def test_table_bytes_are_one_to_one(one: Any, other: Any) -> None:
    """Two rows of a table have equal bytes if and only if they are equal."""
    first, second = TableRows(TABLE, [one, other]).canonical()
    assert (first == second) == (distinct(one) == distinct(other))


@given(st.text(st.sampled_from("ab\0é")), st.text(st.sampled_from("ab\0é")))
def test_text_bytes_are_one_to_one(one: str, other: str) -> None:
    """Two texts have equal bytes if and only if they are equal."""
    first, second = TextRows([one, other]).canonical()
    assert (first == second) == (one == other)


NUMBERS = st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0, 5e-324, 1.7e308]), min_size=2, max_size=2)


@given(NUMBERS, NUMBERS)
def test_tensor_bytes_are_one_to_one(one: list[float], other: list[float]) -> None:
    """Two rows of numbers have equal bytes if and only if they are equal bit by bit."""
    first, second = tensor(one, other).canonical()
    assert (first == second) == (distinct(one) == distinct(other))


def test_neighbouring_cells_stay_apart() -> None:
    """What belongs to one column can't be taken for a part of the next one."""
    rows = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc"), ("a\0", "bc")]
    for one, other in itertools.combinations(TableRows(TEXTS, rows).canonical(), 2):
        assert one != other


def test_equal_rows_have_equal_bytes_wherever_they_stand() -> None:
    """The bytes are the row's own: the batch around it and its memory layout don't matter."""
    alone = tensor([1, 2])
    among = TensorRows(np.asfortranarray([[9.0, 9.0], [1.0, 2.0]]))
    assert among.canonical()[1] == alone.canonical()[0]
