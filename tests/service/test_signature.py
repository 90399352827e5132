"""Signatures: which outputs can be asked for, and what a row of JSON is decoded into."""

from typing import Any

import msgspec
import pytest

from service.errors import BadInput
from service.signature import DType, Signature, Tensor, cell_type

PREDICT = Tensor("predict", "int64")
OUTPUTS = (PREDICT, Tensor("predict_proba", "float64", (-1, 3)))
TENSOR = Signature("tensor", (Tensor("x", "float64", (-1, 3)),), OUTPUTS)
GAPS = Signature("tensor", (Tensor("x", "float64", (-1, 3), nullable=True),), OUTPUTS)
TEXT = Signature("text", (Tensor("text", "string"),), OUTPUTS)
TABLE = Signature(
    "table",
    (
        Tensor("size m²", "float64"),
        Tensor("class", "string", nullable=True),
        Tensor("n", "int64"),
        Tensor("new", "bool"),
    ),
    OUTPUTS,
)


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        ([], ("predict",)),
        (["predict_proba"], ("predict_proba",)),
        (["predict_proba", "predict"], ("predict_proba", "predict")),
        (["predict", "predict_proba", "predict"], ("predict", "predict_proba")),
    ],
)
def test_select(names: list[str], selected: tuple[str, ...]) -> None:
    """The outputs asked for are given once each, in that order; the first one when none is named."""
    assert TENSOR.select(names) == selected


def test_select_unknown() -> None:
    """An unknown output is named with its place, and with what there is instead."""
    with pytest.raises(BadInput, match=r"^outputs\[1\]: .*'transform'.* predict, predict_proba$"):
        TENSOR.select(["predict", "transform"])


@pytest.mark.parametrize(
    ("signature", "width", "columns"),
    [(TENSOR, 3, ("x",)), (TEXT, 1, ("text",)), (TABLE, 4, ("size m²", "class", "n", "new"))],
)
def test_width_and_columns(signature: Signature, width: int, columns: tuple[str, ...]) -> None:
    """A signature knows how wide a row is and what its inputs are called."""
    assert (signature.width, signature.columns) == (width, columns)
    assert signature.output("predict_proba") is OUTPUTS[1]


@pytest.mark.parametrize(
    ("signature", "row"),
    [
        (TENSOR, "[1, 2.5, -3e2]"),
        (GAPS, "[1, null, 3]"),
        (TEXT, '"good morning"'),
        (TABLE, '{"size m²": 1, "class": "a", "n": 2, "new": true}'),
        (TABLE, '{"new": false, "n": 2, "class": null, "size m²": 0.5}'),
        (TABLE, '[0.5, "a", 2, true]'),
    ],
)
def test_row_type_takes(signature: Signature, row: str) -> None:
    """A row of the model's kind is decoded; columns may have any name and come in any order."""
    msgspec.json.decode(row, type=signature.row_type())


@pytest.mark.parametrize(
    ("signature", "row"),
    [
        (TENSOR, "[1, 2]"),
        (TENSOR, "[1, 2, 3, 4]"),
        (TENSOR, "[1, null, 3]"),
        (TENSOR, "[1, true, 3]"),
        (TENSOR, '[1, "2", 3]'),
        (TENSOR, "[1, 2, [3]]"),
        (TENSOR, "5"),
        (TENSOR, '{"x": [1, 2, 3]}'),
        (GAPS, "[1, 2, false]"),
        (TEXT, "5"),
        (TEXT, "null"),
        (TEXT, '["a"]'),
        (TABLE, '{"size m²": 1, "class": "a", "n": 2}'),
        (TABLE, '{"size m²": 1, "class": "a", "n": 2, "new": true, "old": true}'),
        (TABLE, '{"size m²": null, "class": "a", "n": 2, "new": true}'),
        (TABLE, '{"size m²": true, "class": "a", "n": 2, "new": true}'),
        (TABLE, '{"size m²": 1, "class": 7, "n": 2, "new": true}'),
        (TABLE, '{"size m²": 1, "class": "a", "n": 2.5, "new": true}'),
        (TABLE, '{"size m²": 1, "class": "a", "n": 2, "new": 1}'),
        (TABLE, '[0.5, "a", 2]'),
        (TABLE, '[0.5, "a", 2, true, 1]'),
        (TABLE, '["a", 0.5, 2, true]'),
    ],
)
def test_row_type_refuses(signature: Signature, row: str) -> None:
    """A row of another width or with a value of another type isn't decoded; true is no number."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(row, type=signature.row_type())


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "int64", "string", "bool"])
def test_null_only_where_nullable(dtype: DType, nullable: bool) -> None:
    """Null is a value of a nullable column and of no other."""
    kind = cell_type(Tensor("c", dtype, nullable=nullable))
    if nullable:
        assert msgspec.json.decode("null", type=kind) is None
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode("null", type=kind)


@pytest.mark.parametrize(("number", "fits"), [(2**63 - 1, True), (2**63, False), (-(2**63) - 1, False)])
def test_whole_numbers_have_64_bits(number: int, fits: bool) -> None:
    """A whole number that the model's int64 can't hold is refused."""
    kind: Any = cell_type(Tensor("c", "int64"))
    if fits:
        assert msgspec.json.decode(str(number), type=kind) == number
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(str(number), type=kind)


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (TENSOR, ["a list of 3 numbers"]),
        (TEXT, ["a string"]),
        (TABLE, ["size m² (number)", "class (string or null)", "n (whole number)", "(true or false)"]),
    ],
)
def test_describe_row(signature: Signature, words: list[str]) -> None:
    """A row can be described in everyday words."""
    for each in words:
        assert each in signature.describe_row()
