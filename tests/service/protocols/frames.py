"""Binary requests as a client makes them, and replies as it takes them apart; written without ours."""

import json
import struct
from typing import Any

import numpy as np

from service.protocols import BinaryReply

DTYPES = {
    "BOOL": "u1",
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
}


def raw(values: Any, datatype: str) -> bytes:
    """Return a tensor's bytes."""
    if datatype == "BYTES":
        texts = [each if isinstance(each, bytes) else each.encode() for each in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return np.array(values).astype(DTYPES[datatype]).tobytes()


def sent(
    data: bytes, shape: Any, datatype: str = "FP64", name: str = "x", size: Any = None
) -> tuple[dict[str, Any], bytes]:
    """Return an input and its bytes; `size` is what it claims where that isn't the truth."""
    parameters = {"binary_data_size": len(data) if size is None else size}
    given = {"name": name, "shape": shape, "datatype": datatype, "parameters": parameters}
    return given, data


def framed(*inputs: Any, pad: int = 0, tail: bytes = b"", **more: Any) -> tuple[bytes, int]:
    """Return a body and the size of its JSON; an input without bytes is a dict alone.

    `pad` spaces move the tensors, as a longer name would.
    """
    told = [each if isinstance(each, dict) else each[0] for each in inputs]
    head = json.dumps({"inputs": told} | more).encode() + b" " * pad
    tensors = [each[1] for each in inputs if isinstance(each, tuple)]
    return head + b"".join(tensors) + tail, len(head)


def parted(reply: bytes | BinaryReply) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return a reply's JSON, and the bytes of each output that has some."""
    assert isinstance(reply, BinaryReply)
    told = json.loads(reply.body[: reply.json_size])
    rest = reply.body[reply.json_size :]
    tensors = {}
    for output in told["outputs"]:
        if "parameters" in output:
            assert "data" not in output
            size = output["parameters"]["binary_data_size"]
            tensors[output["name"]], rest = rest[:size], rest[size:]
    assert not rest
    return told, tensors
