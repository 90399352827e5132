"""A model's signature: what a row must look like and what the model can be asked for.

Publishing writes it into the manifest; the protocols turn it into a decoder, so that a request is
checked while it is parsed; `/v2/models/{m}` shows it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from service.errors import BadInput

Kind = Literal["tensor", "table", "text"]
DType = Literal["float64", "int64", "string", "bool"]
OutputName = Literal["predict", "predict_proba", "decision_function", "transform"]

OUTPUT_NAMES: tuple[OutputName, ...] = (
    "predict",
    "predict_proba",
    "decision_function",
    "transform",
)
_PYTHON: dict[DType, type] = {"float64": float, "int64": int, "string": str, "bool": bool}
_NOUN: dict[DType, str] = {
    "float64": "number",
    "int64": "whole number",
    "string": "string",
    "bool": "true or false",
}


class Tensor(Struct, frozen=True):
    """One input or output: name, dtype and shape, where the first -1 is the number of rows."""

    name: str
    dtype: DType
    shape: tuple[int, ...] = (-1,)
    nullable: bool = False


class Signature(Struct, frozen=True):
    """What goes in and what comes out.

    A `tensor` model has one input of shape (-1, width); a `table` one input for each column; a
    `text` model one string for each row. The first output is the one given when none is named.
    """

    kind: Kind
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    classes: tuple[int | float | bool | str, ...] = ()

    @property
    def width(self) -> int:
        """Numbers in a row of a tensor model, columns of a table, 1 for text."""
        return self.inputs[0].shape[1] if self.kind == "tensor" else len(self.inputs)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the inputs, in the order in which the model takes them."""
        return tuple(each.name for each in self.inputs)

    def select(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the outputs asked for, or the first one; raise `BadInput` for an unknown name."""
        if not names:
            return (self.outputs[0].name,)
        known = [each.name for each in self.outputs]
        for position, name in enumerate(names):
            if name not in known:
                raise BadInput(
                    f"outputs[{position}]: this model has no output {name!r}; it has "
                    + ", ".join(known)
                )
        return tuple(dict.fromkeys(names))

    def output(self, name: str) -> Tensor:
        """Return the output called `name`."""
        return next(each for each in self.outputs if each.name == name)

    def row_type(self) -> Any:
        """Return the type of one row for msgspec: what a JSON row is decoded into and checked by."""
        if self.kind == "text":
            return str
        if self.kind == "tensor":
            number = float | None if self.inputs[0].nullable else float
            return Annotated[list[number], Meta(min_length=self.width, max_length=self.width)]  # type: ignore[valid-type]
        types = [cell_type(each) for each in self.inputs]
        # Field names are the model's own column names, which need not be Python identifiers.
        keys = {f"column_{i}": name for i, name in enumerate(self.columns)}
        record = msgspec.defstruct(
            "Row", list(zip(keys, types, strict=True)), rename=keys, forbid_unknown_fields=True
        )
        return record | tuple[tuple(types)]  # type: ignore[misc]

    def describe_row(self) -> str:
        """Say in words what a row is, for error messages and pages."""
        if self.kind == "text":
            return "a string"
        if self.kind == "tensor":
            return f"a list of {self.width} numbers"
        cells = ", ".join(
            f"{each.name} ({_NOUN[each.dtype]}{' or null' if each.nullable else ''})"
            for each in self.inputs
        )
        return f"an object with the columns {cells}, or a list of these values in this order"


def cell_type(column: Tensor) -> Any:
    """Return the type of one value of a table's column for msgspec."""
    kind: Any = _PYTHON[column.dtype]
    if column.dtype == "int64":
        kind = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    return kind | None if column.nullable else kind
