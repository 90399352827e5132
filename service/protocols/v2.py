"""The Open Inference Protocol, V2, in JSON.

https://github.com/kserve/open-inference-protocol: inference_rest.md. A tensor or text model takes one
input of any name; a table takes one input for each column, as MLServer and KServe do. Data may be
nested or flat in row-major order.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct

from service.errors import BadInput
from service.protocols.asked import Asked
from service.protocols.convert import tensor_rows
from service.protocols.refusal import refuse
from service.protocols.v2_data import DATATYPES, Input, read
from service.rows import Rows, TableRows, TextRows
from service.signature import Signature
from service.version import LoadedVersion


class _Output(Struct):
    name: str


class _Request(Struct):
    inputs: Annotated[list[Input], Meta(min_length=1)]
    outputs: list[_Output] = []
    id: str | None = None


_REQUEST = msgspec.json.Decoder(_Request)


class V2:
    """The protocol, bound to one version."""

    name = "v2"

    def __init__(self, version: LoadedVersion, max_rows: int) -> None:
        self._version = version
        self._signature = version.signature
        self._max_rows = max_rows

    def decode(self, body: bytes, json_bytes: int = 0) -> Asked:
        """Return the rows and outputs asked for; raise `BadInput` for what doesn't fit."""
        try:
            request = _REQUEST.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise refuse(error, body) from error
        outputs = self._signature.select([each.name for each in request.outputs])
        return Asked(self._rows(request.inputs), outputs, request.id)

    def encode(self, asked: Asked, columns: Mapping[str, list[Any]]) -> bytes:
        """Return the reply, with flat data."""
        outputs = []
        for name in asked.outputs:
            values = columns[name]
            output = self._signature.output(name)
            shape = [len(values), *output.shape[1:]]
            flat = values if len(shape) == 1 else np.array(values).ravel().tolist()
            datatype = DATATYPES[output.dtype]
            outputs.append({"name": name, "shape": shape, "datatype": datatype, "data": flat})
        reply: dict[str, Any] = {
            "model_name": self._version.name,
            "model_version": self._version.number,
            "outputs": outputs,
        }
        if asked.id is not None:
            reply["id"] = asked.id
        return msgspec.json.encode(reply)

    def _rows(self, inputs: list[Input]) -> Rows:
        signature = self._signature
        for position, each in enumerate(inputs):
            if not 1 <= each.shape[0] <= self._max_rows:
                raise BadInput(
                    f"inputs[{position}].shape[0]: expected 1 to {self._max_rows} rows, "
                    f"got {each.shape[0]}"
                )
        if signature.kind == "table":
            return _table(signature, inputs)
        if len(inputs) != 1:
            raise BadInput(f"inputs: expected one input, got {len(inputs)}")
        given, column = inputs[0], signature.inputs[0]
        if signature.kind == "text":
            return TextRows(read(given, column, "inputs[0]", 1))
        if len(given.shape) != 2 or given.shape[1] != signature.width:
            raise BadInput(f"inputs[0].shape: expected [rows, {signature.width}], got {given.shape}")
        values = read(given, column, "inputs[0]", signature.width)
        matrix = np.array(values, dtype=np.float64).reshape(given.shape)
        return tensor_rows(signature, matrix, "inputs[0].data")


def _table(signature: Signature, inputs: list[Input]) -> TableRows:
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
        columns.append(read(each, column, f"inputs[{position}]", 1))
    return TableRows(signature, list(zip(*columns, strict=True)))
