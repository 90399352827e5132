"""The binary tensor extension of V2: bytes behind a request's JSON become arrays, and outputs bytes.

https://github.com/triton-inference-server/server: docs/protocol/extension_binary_data.md. Tensors stand
behind the JSON in the order in which it names them: little-endian, row-major, without padding. A string
is its length in four bytes and UTF-8, a truth value one byte, 0 or 1. There is no null; a gap is NaN.
"""

import math
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import BadInput
from service.protocols.convert import refuse_infinite
from service.protocols.v2_data import NO_DATA, Input, datatype_of
from service.signature import DType, Tensor

_LENGTH = struct.Struct("<I")
_INT64_MAX = 2**63 - 1


def cut(inputs: Sequence[Input], body: bytes, json_size: int) -> list[memoryview | None]:
    """Return each input's part of `body`, None where its data is in the JSON; raise `BadInput`."""
    rest = memoryview(body)[json_size:] if json_size else memoryview(b"")
    parts: list[memoryview | None] = []
    for position, each in enumerate(inputs):
        size = each.parameters.binary_data_size if each.parameters else None
        if (size is None) is (each.data is NO_DATA):
            came = "neither" if size is None else "both"
            raise BadInput(
                f'inputs[{position}]: expected "data" or the parameter "binary_data_size", got {came}'
            )
        if size is None:
            parts.append(None)
            continue
        where = f"inputs[{position}].parameters.binary_data_size"
        if not json_size:
            raise BadInput(f"{where}: expected a header Inference-Header-Content-Length, got none")
        if size > len(rest):
            raise BadInput(f"{where}: expected at most the {len(rest)} bytes that follow, got {size}")
        parts.append(rest[:size])
        rest = rest[size:]
    if rest:
        raise BadInput(f"body: expected its end after the last tensor, got {len(rest)} bytes more")
    return parts


def read_numbers(
    given: Input, part: memoryview, column: Tensor, path: str, width: int
) -> NDArray[np.float64]:
    """Return numbers in the shape given: for FP64 a view of the body that can't be written to."""
    values = _array(given, part, column, path, width)
    numbers: NDArray[np.float64] = values
    if values.dtype != np.float64:
        with np.errstate(invalid="ignore"):  # some of NaN's bit patterns make a conversion warn
            numbers = values.astype(np.float64)
    if not numbers.flags.aligned:  # compiled code may take a double's address to be a multiple of 8
        numbers = numbers.copy()
    if column.nullable:
        gaps = np.isnan(numbers)
        if gaps.any():  # one of NaN's many bit patterns, so that equal rows have equal cache keys
            numbers = np.where(gaps, np.nan, numbers)
    return numbers


def read_column(given: Input, part: memoryview, column: Tensor, path: str) -> list[Any]:
    """Return the values of a column, as the same data in JSON would give them."""
    if column.dtype == "string":
        return _strings(given, part, column, path)
    if column.dtype == "float64":
        numbers = read_numbers(given, part, column, path, 1)
        refuse_infinite(numbers, column.nullable, f"{path}.data")
        return [None if math.isnan(value) else value for value in numbers.ravel().tolist()]
    values = _array(given, part, column, path, 1).ravel()
    if column.dtype == "int64":
        return list(values.tolist())
    if values.max() > 1:
        first = int(np.argmax(values > 1))
        raise BadInput(f"{path}.data[{first}]: expected a byte of 0 or 1, got {values[first]}")
    return list(values.astype(np.bool_).tolist())


def pack(values: list[Any], dtype: DType) -> bytes:
    """Return an output's values as bytes; raise `TypeError` where they aren't of its dtype."""
    if dtype == "string":
        texts = [text.encode() for text in np.array(values, dtype=object).ravel()]
        return b"".join([_LENGTH.pack(len(text)) + text for text in texts])
    return np.array(values).astype(_wire(dtype), casting="safe", copy=False).tobytes()


@cache
def _wire(dtype: str) -> np.dtype[Any]:
    """Return a dtype as it travels; truth values as bytes, since numpy would take 2 for true."""
    return np.dtype("uint8" if dtype == "bool" else dtype).newbyteorder("<")


def _array(given: Input, part: memoryview, column: Tensor, path: str, width: int) -> NDArray[Any]:
    dtype = _wire(datatype_of(given, column, path, width).numpy)
    expected = math.prod(given.shape) * dtype.itemsize
    if len(part) != expected:
        raise BadInput(
            f"{path}.parameters.binary_data_size: expected {expected} bytes for the shape "
            f"{given.shape} of {given.datatype}, got {len(part)}"
        )
    values = np.frombuffer(part, dtype).reshape(given.shape)
    if given.datatype == "UINT64" and values.max() > _INT64_MAX:  # refused in JSON as well
        raise BadInput(f"{path}.data: expected whole numbers <= {_INT64_MAX}, got {values.max()}")
    return values


def _strings(given: Input, part: memoryview, column: Tensor, path: str) -> list[str]:
    datatype_of(given, column, path, 1)
    texts = []
    begin = 0
    for row in range(given.shape[0]):
        where = f"{path}.data[{row}]"
        if len(part) - begin < _LENGTH.size:
            raise BadInput(f"{where}: expected 4 bytes with its length, got {len(part) - begin}")
        (length,) = _LENGTH.unpack_from(part, begin)
        begin += _LENGTH.size
        if len(part) - begin < length:
            raise BadInput(f"{where}: expected {length} bytes of text, got {len(part) - begin}")
        try:
            texts.append(str(part[begin : begin + length], "utf-8"))
        except UnicodeDecodeError as error:
            raise BadInput(f"{where}: expected UTF-8, got {error.reason}") from error
        begin += length
    if begin != len(part):
        raise BadInput(
            f"{path}.data: expected {given.shape[0]} strings for the shape {given.shape}, "
            f"got {len(part) - begin} bytes more"
        )
    return texts
