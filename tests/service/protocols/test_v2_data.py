"""Data of V2: each datatype has its range and its rounding, and feeds only what it fits."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.protocols.v2_data import DATATYPES, Input, read
from service.signature import DType, Tensor

NUMBERS = ("FP16", "FP32", "FP64")
INTEGERS = tuple(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))


def read_column(values: list[Any], datatype: str, dtype: DType, nullable: bool = False) -> list[Any]:
    """Read one column."""
    data = msgspec.Raw(json.dumps(values).encode())
    given_input = Input("c", [len(values)], datatype, data)
    return read(given_input, Tensor("c", dtype, nullable=nullable), "inputs[0]", 1)


@pytest.mark.parametrize(
    ("dtype", "fitting"),
    [
        ("float64", NUMBERS + INTEGERS),
        ("int64", INTEGERS),
        ("string", ("BYTES",)),
        ("bool", ("BOOL",)),
    ],
)
def test_what_fits(dtype: DType, fitting: tuple[str, ...]) -> None:
    """A column takes the datatypes that lose nothing in it and refuses all others, naming them."""
    value: Any = {"string": "a", "bool": True}.get(dtype, 1)
    for datatype in (*NUMBERS, *INTEGERS, "BYTES", "BOOL", "BF16", "fp64", ""):
        if datatype in fitting:
            assert read_column([value], datatype, dtype) == [value]
        else:
            with pytest.raises(BadInput) as refused:
                read_column([value], datatype, dtype)
            message = str(refused.value)
            assert message.startswith("inputs[0].datatype: expected ")
            assert set(message.split(": expected ")[1].split(", got ")[0].split(" or ")) == set(fitting)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("signed", [True, False])
def test_range_of_integers(bits: int, signed: bool) -> None:
    """An integer type takes exactly its range."""
    datatype = f"{'' if signed else 'U'}INT{bits}"
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    assert read_column([low, high], datatype, "int64") == [low, high]
    for outside in (low - 1, high + 1):
        with pytest.raises(BadInput, match=rf"^inputs\[0\]\.data\[1\]: .* got {outside}$"):
            read_column([0, outside], datatype, "int64")


@pytest.mark.parametrize(("datatype", "low"), [("INT64", -(2**63)), ("UINT64", 0)])
def test_range_of_64_bits(datatype: str, low: int) -> None:
    """A 64-bit integer type takes what an int64 can hold."""
    assert read_column([low, 2**63 - 1], datatype, "int64") == [low, 2**63 - 1]
    for outside in (low - 1, 2**63, 2**64):
        with pytest.raises(BadInput):
            read_column([outside], datatype, "int64")


def test_integers_become_numbers() -> None:
    """Integers for a column of numbers become floats: the model and the cache see no difference."""
    values = read_column([3, 0], "UINT8", "float64")
    assert [type(value) for value in values] == [float, float]


@given(st.lists(st.floats(-65504, 65504), min_size=1))
@pytest.mark.parametrize("datatype", NUMBERS)
def test_rounding(datatype: str, values: list[float]) -> None:
    """A number is rounded as its datatype says, so that a row is the same however it was sent."""
    dtype = {"FP16": np.float16, "FP32": np.float32, "FP64": np.float64}[datatype]
    assert read_column(values, datatype, "float64") == [float(dtype(value)) for value in values]


def test_fp32_is_visible() -> None:
    """A number that FP32 can't hold exactly is the nearest one that it can."""
    assert read_column([0.1], "FP32", "float64") == [0.10000000149011612]
    assert read_column([0.1], "FP64", "float64") == [0.1]


@pytest.mark.parametrize(("datatype", "largest"), [("FP16", 65504.0), ("FP32", 3.4028234663852886e38)])
def test_overflow(datatype: str, largest: float) -> None:
    """A number too large for its datatype is refused; the largest one isn't."""
    assert read_column([largest, -largest], datatype, "float64") == [largest, -largest]
    for outside in (largest * 2, -largest * 2):
        with pytest.raises(BadInput) as refused:
            read_column([0, outside], datatype, "float64")
        assert str(refused.value) == (
            f"inputs[0].data: expected finite numbers, got {outside}, too large for {datatype}"
        )


def test_null() -> None:
    """Null is a gap where the column has gaps, and refused elsewhere."""
    assert read_column(["a", None], "BYTES", "string", nullable=True) == ["a", None]
    assert read_column([True, None], "BOOL", "bool", nullable=True) == [True, None]
    assert read_column([1, None], "INT8", "float64", nullable=True) == [1.0, None]
    assert read_column([1, None], "FP32", "float64", nullable=True) == [1.0, None]
    for datatype, dtype in (("BYTES", "string"), ("BOOL", "bool"), ("INT8", "float64")):
        with pytest.raises(BadInput, match=r"^inputs\[0\]\.data\[0\]: .* got null$"):
            read_column([None], datatype, dtype)


def test_every_dtype_has_a_datatype() -> None:
    """What a model gives can be named, and read back."""
    for dtype, datatype in DATATYPES.items():
        value: Any = {"string": "a", "bool": True}.get(dtype, 1)
        assert read_column([value], datatype, dtype) == [value]
