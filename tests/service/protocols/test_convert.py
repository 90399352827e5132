"""Decoded JSON becomes rows; what JSON's types can't say is checked here."""

import msgspec
import numpy as np
import pytest

from service.errors import BadInput
from service.protocols.convert import rows_of, tensor_rows
from tests.service.protocols.signatures import GAPS, TABLE, TENSOR, TEXT


def test_each_kind() -> None:
    """Rows of each kind are what the model takes: float64, columns in order, strings as they are."""
    array = rows_of(TENSOR, [[1, 2, 3]]).model_input()
    assert array.dtype == np.float64
    assert array.flags["C_CONTIGUOUS"]
    assert rows_of(TEXT, ["a", ""]).model_input() == ["a", ""]
    record = msgspec.convert(
        {"new": True, "rooms": 2, "city": None, "size": 1.5}, type=TABLE.row_type()
    )
    rows = rows_of(TABLE, [record, (0.5, "Rome", 1, False)])
    assert rows.values == [(1.5, None, 2, True), (0.5, "Rome", 1, False)]
    assert len({len(row) for row in rows.canonical()}) == 2


def test_object_and_list_are_the_same_row() -> None:
    """A row that comes as an object and one that comes as a list have the same bytes for the cache."""
    record = msgspec.convert(
        {"new": True, "rooms": 2, "city": "Rome", "size": 1.5}, type=TABLE.row_type()
    )
    one, other = rows_of(TABLE, [record, (1.5, "Rome", 2, True)]).canonical()
    assert one == other


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("signature", [TENSOR, GAPS])
def test_infinity(signature: object, bad: float) -> None:
    """Infinity is refused by its place, also where gaps are allowed."""
    values = np.array([[1.0, 2.0, 3.0], [1.0, bad, 3.0]])
    with pytest.raises(BadInput, match=rf"^x\[1\]\[1\]: expected a finite number, got {bad}$"):
        tensor_rows(signature, values, "x")


def test_nan() -> None:
    """NaN is a gap where gaps are allowed, and refused elsewhere."""
    values = np.array([[1.0, np.nan, 3.0]])
    assert tensor_rows(GAPS, values, "x").values is values
    with pytest.raises(BadInput, match=r"^x\[0\]\[1\]: expected a finite number, got nan$"):
        tensor_rows(TENSOR, values, "x")
