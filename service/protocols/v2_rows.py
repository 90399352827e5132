"""Rows of a V2 request: its inputs come in, each with its bytes if it has any, and checked rows go out.

A tensor or text model takes one input of any name; a table takes one input for each column, as MLServer
and KServe do. Data may be nested or flat in row-major order, or bytes behind the JSON.
"""

from typing import Any

import numpy as np

from service.errors import BadInput
from service.protocols.convert import tensor_rows
from service.protocols.v2_binary import read_column, read_numbers
from service.protocols.v2_data import Input, read
from service.rows import Rows, TableRows, TensorRows, TextRows
from service.signature import Signature, Tensor

Part = memoryview | None  # an input's bytes, or None where its data is in the JSON


class RowReader:
    """Reads rows of one signature; with `only_reads` the model may be given the body's own memory."""

    def __init__(self, signature: Signature, max_rows: int, only_reads: bool) -> None:
        self._signature = signature
        self._max_rows = max_rows
        self._only_reads = only_reads

    def of(self, inputs: list[Input], parts: list[Part]) -> Rows:
        """Return the rows that the inputs hold; raise `BadInput` where they don't fit."""
        signature = self._signature
        for position, each in enumerate(inputs):
            if not 1 <= each.shape[0] <= self._max_rows:
                raise BadInput(
                    f"inputs[{position}].shape[0]: expected 1 to {self._max_rows} rows, "
                    f"got {each.shape[0]}"
                )
        if signature.kind == "table":
            return _table(signature, inputs, parts)
        if len(inputs) != 1:
            raise BadInput(f"inputs: expected one input, got {len(inputs)}")
        if signature.kind == "text":
            return TextRows(_column(inputs[0], parts[0], signature.inputs[0], "inputs[0]"))
        return self._tensor(inputs[0], parts[0])

    def _tensor(self, given: Input, part: Part) -> TensorRows:
        column, width = self._signature.inputs[0], self._signature.width
        if len(given.shape) != 2 or given.shape[1] != width:
            raise BadInput(f"inputs[0].shape: expected [rows, {width}], got {given.shape}")
        if part is None:
            values = read(given, column, "inputs[0]", width)
            matrix = np.array(values, dtype=np.float64).reshape(given.shape)
        else:
            matrix = read_numbers(given, part, column, "inputs[0]", width)
            if not (self._only_reads or matrix.flags.writeable):
                matrix = matrix.copy()
        return tensor_rows(self._signature, matrix, "inputs[0].data")


def _column(given: Input, part: Part, column: Tensor, path: str) -> list[Any]:
    return read(given, column, path, 1) if part is None else read_column(given, part, column, path)


def _table(signature: Signature, inputs: list[Input], parts: list[Part]) -> TableRows:
    """Put one input for each column side by side."""
    given = {each.name: (position, each) for position, each in enumerate(inputs)}
    wanted = ", ".join(signature.columns)
    if len(given) != len(inputs):
        raise BadInput(f"inputs: a column is given twice; expected one input for each of {wanted}")
    for name, (position, _) in given.items():
        if name not in signature.columns:
            raise BadInput(f"inputs[{position}].name: unknown column {name!r}; expected {wanted}")
    columns = []
    for column in signature.inputs:
        if column.name not in given:
            raise BadInput(f"inputs: column {column.name!r} is missing; expected {wanted}")
        position, each = given[column.name]
        if each.shape[0] != inputs[0].shape[0]:
            raise BadInput(
                f"inputs[{position}].shape[0]: expected {inputs[0].shape[0]} rows as in the first "
                f"input, got {each.shape[0]}"
            )
        columns.append(_column(each, parts[position], column, f"inputs[{position}]"))
    return TableRows(signature, list(zip(*columns, strict=True)))
