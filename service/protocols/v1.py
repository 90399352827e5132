"""The V1 protocol: `{"instances": […], "outputs": […]}` in, `{"predictions": […]}` out.

KServe data plane V1 (https://kserve.github.io/website/ → data plane → V1 protocol), which
TensorFlow Serving's REST API shares: `inputs` means the same as `instances`. A name in `outputs`
after the first adds a member of that name beside `predictions`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.errors import BadInput
from service.protocols.asked import Asked
from service.protocols.convert import rows_of
from service.protocols.matrix import MatrixReader
from service.protocols.refusal import refuse
from service.version import LoadedVersion


class V1:
    """The protocol, bound to one version."""

    name = "v1"

    def __init__(self, version: LoadedVersion, max_rows: int) -> None:
        self._signature = version.signature
        rows = Annotated[list[self._signature.row_type()], Meta(min_length=1, max_length=max_rows)]  # type: ignore[misc,valid-type]
        request = msgspec.defstruct(
            "V1Request",
            [
                ("instances", rows | UnsetType, UNSET),
                ("inputs", rows | UnsetType, UNSET),
                ("outputs", list[str], ()),
            ],
        )
        self._decoder = msgspec.json.Decoder(request)
        tensor = self._signature.kind == "tensor"
        self._matrix = MatrixReader(self._signature, max_rows) if tensor else None

    def decode(self, body: bytes, json_size: int = 0) -> Asked:
        """Return the rows and outputs asked for; raise `BadInput` for what doesn't fit."""
        quick = self._matrix.read(body) if self._matrix else None
        return quick or self.decode_typed(body)

    def decode_typed(self, body: bytes) -> Asked:
        """Do the same for a body of any kind, with an object for each value; it words every refusal."""
        try:
            request: Any = self._decoder.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise refuse(error, body, self._signature.describe_row()) from error
        given = request.instances if request.instances is not UNSET else request.inputs
        if given is UNSET:
            raise BadInput('body: expected a member "instances" with a list of rows, got none')
        if request.instances is not UNSET and request.inputs is not UNSET:
            raise BadInput('body: "instances" and "inputs" mean the same; give one of them')
        outputs = self._signature.select(request.outputs)
        return Asked(rows_of(self._signature, given), outputs)

    def encode(self, asked: Asked, columns: Mapping[str, list[Any]]) -> bytes:
        """Return the reply. What JSON can't say (NaN, Infinity) becomes null."""
        first, *others = asked.outputs
        reply = {"predictions": columns[first]}
        for name in others:
            reply[name] = columns[name]
        return msgspec.json.encode(reply)
