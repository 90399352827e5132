"""Data of a V2 input: one tensor's JSON comes in, a flat list of values that the model takes goes out.

Datatypes as in the Open Inference Protocol, "Tensor Data Types"; data nested or flat, row-major.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta, Struct

from service.errors import BadInput
from service.protocols.refusal import refuse
from service.signature import DType, Tensor

# What the model's own dtypes are called in the protocol.
DATATYPES: Mapping[DType, str] = {
    "float64": "FP64",
    "int64": "INT64",
    "string": "BYTES",
    "bool": "BOOL",
}


# An input without data in the JSON holds this very object: its data comes as bytes behind the JSON.
NO_DATA = msgspec.Raw()


class InputParameters(Struct):
    """What an input may say of itself; other parameters are passed over."""

    binary_data_size: Annotated[int, Meta(ge=0)] | None = None


class Input(Struct):
    """One input of a request; its data is decoded once its datatype is known."""

    name: str
    shape: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(min_length=1, max_length=2)]
    datatype: str
    data: msgspec.Raw = NO_DATA
    parameters: InputParameters | None = None


class Datatype(NamedTuple):
    """How a datatype is checked, rounded, and which of the model's dtypes it may feed."""

    item: Any
    numpy: str
    fits: tuple[DType, ...]


def _integer(bits: int, signed: bool) -> Datatype:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    item = Annotated[int, Meta(ge=low, le=min(high, 2**63 - 1))]  # msgspec's bounds are int64's
    return Datatype(item, f"{'' if signed else 'u'}int{bits}", ("float64", "int64"))


_BY_NAME = {
    "BOOL": Datatype(bool, "bool", ("bool",)),
    "BYTES": Datatype(str, "object", ("string",)),
    **{f"FP{bits}": Datatype(float, f"float{bits}", ("float64",)) for bits in (16, 32, 64)},
    **{f"INT{bits}": _integer(bits, signed=True) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": _integer(bits, signed=False) for bits in (8, 16, 32, 64)},
}


def datatype_of(given: Input, column: Tensor, path: str, width: int) -> Datatype:
    """Return an input's datatype; raise `BadInput` where it or the shape doesn't fit `column`."""
    datatype = _BY_NAME.get(given.datatype)
    if datatype is None or column.dtype not in datatype.fits:
        fitting = " or ".join(name for name, each in _BY_NAME.items() if column.dtype in each.fits)
        raise BadInput(f"{path}.datatype: expected {fitting}, got {given.datatype[:20]!r}")
    if len(given.shape) == 2 and given.shape[1] != width:
        raise BadInput(f"{path}.shape: expected [rows] or [rows, {width}], got {given.shape}")
    return datatype


def read(given: Input, column: Tensor, path: str, width: int) -> list[Any]:
    """Return an input's values, flat; raise `BadInput` where they don't fit `column` or the shape."""
    datatype = datatype_of(given, column, path, width)
    values = _decode(given, column, f"{path}.data", width)
    expected = given.shape[0] * width
    if len(values) != expected:
        raise BadInput(
            f"{path}.data: expected {expected} values for the shape {given.shape}, got {len(values)}"
        )
    if given.datatype in ("FP16", "FP32"):  # the client rounded, or says that we should
        with np.errstate(over="ignore"):
            rounded = np.array(values, dtype=datatype.numpy)
        overflown = np.isinf(rounded)
        if overflown.any():
            first = values[int(overflown.argmax())]
            raise BadInput(
                f"{path}.data: expected finite numbers, got {first}, too large for {given.datatype}"
            )
        numbers = rounded.astype(np.float64).tolist()
        return [None if v is None else number for v, number in zip(values, numbers, strict=True)]
    if column.dtype == "float64" and given.datatype != "FP64":
        return [None if value is None else float(value) for value in values]
    return values


def _decode(given: Input, column: Tensor, path: str, width: int) -> list[Any]:
    body = bytes(given.data)
    nested = body.lstrip()[1:].lstrip().startswith(b"[")
    try:
        values: list[Any] = _decoder(given.datatype, nested, column.nullable).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:  # a Raw's strings are still bytes
        raise refuse(error, body, at=path) from error
    if not nested:
        return values
    for position, row in enumerate(values):
        if len(row) != width:
            raise BadInput(f"{path}[{position}]: expected {width} values, got {len(row)}")
    return [value for row in values for value in row]


@cache
def _decoder(datatype: str, nested: bool, nullable: bool) -> msgspec.json.Decoder[list[Any]]:
    item = _BY_NAME[datatype].item
    if nullable:
        item = item | None
    return msgspec.json.Decoder(list[list[item]] if nested else list[item])  # type: ignore[valid-type]
