"""The Open Inference Protocol, V2: JSON, and tensors as bytes behind it where the client likes.

https://github.com/kserve/open-inference-protocol: inference_rest.md. A request is read
and its reply written here; `v2_rows` reads what the inputs hold.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct

from service.errors import BadInput
from service.protocols.asked import Asked, BinaryReply
from service.protocols.refusal import refuse
from service.protocols.v2_binary import cut, pack
from service.protocols.v2_data import DATATYPES, Input
from service.protocols.v2_rows import RowReader
from service.version import LoadedVersion


class _OutputParameters(Struct):
    binary_data: bool | None = None


class _Output(Struct):
    name: str
    parameters: _OutputParameters | None = None


class _RequestParameters(Struct):
    binary_data_output: bool | None = None


class _Request(Struct):
    inputs: Annotated[list[Input], Meta(min_length=1)]
    outputs: list[_Output] = []
    id: str | None = None
    parameters: _RequestParameters | None = None


_REQUEST = msgspec.json.Decoder(_Request)


class V2:
    """The protocol, bound to one version."""

    name = "v2"

    def __init__(self, version: LoadedVersion, max_rows: int) -> None:
        self._version = version
        self._signature = version.signature
        # A compiled model only reads; a step of somebody's own may write into what it is given.
        self._rows = RowReader(version.signature, max_rows, version.manifest.engine != "sklearn")

    def decode(self, body: bytes, json_size: int = 0) -> Asked:
        """Return the rows and outputs asked for; raise `BadInput` for what doesn't fit.

        `json_size` is the value of Inference-Header-Content-Length, 0 where there is none: then all
        of the body is JSON.
        """
        if not 0 <= json_size <= len(body):
            raise BadInput(
                f"Inference-Header-Content-Length: expected at most the body's {len(body)} bytes, "
                f"got {json_size}"
            )
        head = body[:json_size] if json_size else body
        try:
            request = _REQUEST.decode(head)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise refuse(error, head) from error
        outputs = self._signature.select([each.name for each in request.outputs])
        rows = self._rows.of(request.inputs, cut(request.inputs, body, json_size))
        return Asked(rows, outputs, request.id, _binary(request, outputs))

    def encode(self, asked: Asked, columns: Mapping[str, list[Any]]) -> bytes | BinaryReply:
        """Return the reply, with flat data; what was asked for as bytes follows the JSON in order."""
        outputs = []
        tensors = []
        for name in asked.outputs:
            values = columns[name]
            output = self._signature.output(name)
            shape = [len(values), *output.shape[1:]]
            told: dict[str, Any] = {"name": name, "shape": shape, "datatype": DATATYPES[output.dtype]}
            if name in asked.binary:
                tensors.append(pack(values, output.dtype))
                told["parameters"] = {"binary_data_size": len(tensors[-1])}
            else:
                told["data"] = values if len(shape) == 1 else np.array(values).ravel().tolist()
            outputs.append(told)
        reply: dict[str, Any] = {
            "model_name": self._version.name,
            "model_version": self._version.number,
            "outputs": outputs,
        }
        if asked.id is not None:
            reply["id"] = asked.id
        head = msgspec.json.encode(reply)
        return BinaryReply(b"".join([head, *tensors]), len(head)) if tensors else head


def _binary(request: _Request, outputs: tuple[str, ...]) -> tuple[str, ...]:
    """Return which outputs go out as bytes: all or none by the request, but each may differ."""
    every = request.parameters is not None and bool(request.parameters.binary_data_output)
    if not request.outputs:
        return outputs if every else ()
    wanted = dict.fromkeys(outputs, every)
    for each in request.outputs:
        if each.parameters is not None and each.parameters.binary_data is not None:
            wanted[each.name] = each.parameters.binary_data
    return tuple(name for name in outputs if wanted[name])
