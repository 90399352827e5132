"""V2's tensors as bytes: the same rows as in JSON, every inconsistency one sentence, never a crash."""

import json
import struct
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.protocols import V2
from service.protocols.v2_binary import pack, read_column
from service.protocols.v2_data import Input
from service.signature import DType, Signature, Tensor
from tests.fakes import fake_version
from tests.service.protocols.frames import DTYPES, framed, raw, sent
from tests.service.protocols.signatures import EVERY_KIND, GAPS, MAX_ROWS, TABLE, TENSOR, TEXT

NUMBERS = tuple(name for name in DTYPES if name != "BOOL")
ROW = raw([1, 2, 3], "FP64")
SIZE = "inputs[0].parameters.binary_data_size: expected "
TOO_LARGE = f"inputs[0].data: expected whole numbers <= {2**63 - 1}, got {2**63}"


def codec(signature: Signature = TENSOR) -> V2:
    """Return the protocol for a signature."""
    return V2(fake_version(signature=signature), MAX_ROWS)


def in_json(data: Any, shape: Any, datatype: str, name: str = "x") -> dict[str, Any]:
    """Return an input whose data is in the JSON."""
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def table(rows: int = 1, **changed: Any) -> list[Any]:
    """Return an input for each column of `TABLE`, as bytes but for what is changed."""
    columns: dict[str, Any] = {
        "size": sent(raw([1.5] * rows, "FP64"), [rows], "FP64", "size"),
        "city": sent(raw(["Röm"] * rows, "BYTES"), [rows], "BYTES", "city"),
        "rooms": sent(raw([2] * rows, "INT64"), [rows], "INT64", "rooms"),
        "new": sent(raw([1] * rows, "BOOL"), [rows], "BOOL", "new"),
    }
    return list((columns | changed).values())


@pytest.mark.parametrize("datatype", NUMBERS)
@given(data=st.data())
def test_numbers_equal_json(datatype: str, data: st.DataObject) -> None:
    """A row of any datatype has the same bytes for the cache, however it was sent."""
    dtype = np.dtype(DTYPES[datatype])
    if dtype.kind == "f":
        number: Any = st.floats(width=dtype.itemsize * 8, allow_nan=False, allow_infinity=False)
    else:
        bounds = np.iinfo(dtype)
        number = st.integers(bounds.min, min(bounds.max, 2**63 - 1))
    values = data.draw(st.lists(st.lists(number, min_size=3, max_size=3), min_size=1, max_size=4))
    shape = [len(values), 3]
    by_json, _ = framed(in_json(values, shape, datatype))
    by_bytes = framed(sent(raw(values, datatype), shape, datatype), pad=data.draw(st.integers(0, 8)))
    rows = codec().decode(*by_bytes).rows
    assert rows.canonical() == codec().decode(by_json).rows.canonical()
    assert rows.model_input().dtype == np.float64
    assert rows.model_input().flags.aligned
    assert rows.model_input().flags.c_contiguous


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_texts_equal_json(values: list[str]) -> None:
    """Texts of any characters are read as they were written, empty ones and NUL as well."""
    for shape in ([len(values)], [len(values), 1]):
        rows = codec(TEXT).decode(*framed(sent(raw(values, "BYTES"), shape, "BYTES"))).rows
        assert rows.model_input() == values


def test_table() -> None:
    """A table's columns may come as bytes, in JSON or mixed, in any order; the rows are the same."""
    city = in_json(["Röm", None], [2], "BYTES", "city")
    size = in_json([1.5, 1.5], [2, 1], "FP32", "size")
    for inputs in (table(2, city=city), table(2, city=city, size=size)):
        for order in (inputs, inputs[::-1]):
            rows = codec(TABLE).decode(*framed(*order)).rows
            assert rows.values == [(1.5, "Röm", 2, True), (1.5, None, 2, True)]
            assert [type(value) for value in rows.values[0]] == [float, str, int, bool]


def test_gap() -> None:
    """NaN is a gap where gaps are allowed; whatever its bits, the row equals one with null in JSON."""
    by_json = codec(GAPS).decode(framed(in_json([1, None, 3], [1, 3], "FP64"))[0]).rows
    for bits in (0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001):
        row = struct.pack("<dQd", 1, bits, 3)
        assert codec(GAPS).decode(*framed(sent(row, [1, 3]))).rows.canonical() == by_json.canonical()
    column = Tensor("c", "float64", nullable=True)
    signalling = {"FP64": "<Q 0x7ff0000000000001", "FP32": "<I 0x7f800001", "FP16": "<H 0x7c01"}
    for datatype, signal in signalling.items():
        code, bits = signal.split()
        for nan in (raw([np.nan], datatype), struct.pack(code, int(bits, 16))):
            part = memoryview(raw([1], datatype) + nan)
            assert read_column(Input("c", [2], datatype), part, column, "c") == [1.0, None]


def test_json_without_tensors() -> None:
    """The header may be there though nothing follows; parameters of other extensions pass."""
    told = in_json([1, 2, 3], [1, 3], "FP64") | {"parameters": {"content_type": "np"}}
    for parameters in (None, {}, {"content_type": "np", "binary_data_output": None}):
        body, size = framed(told, parameters=parameters)
        for json_size in (0, size):
            assert codec().decode(body, json_size).rows.model_input().tolist() == [[1, 2, 3]]


def changed(request: tuple[bytes, int], json_size: int) -> tuple[bytes, int]:
    """Return a request with another size in its header."""
    return request[0], json_size


@pytest.mark.parametrize(
    ("signature", "request_", "message"),
    [
        (
            TENSOR,
            (b"{}", 3),
            "Inference-Header-Content-Length: expected at most the body's 2 bytes, got 3",
        ),
        (TENSOR, (b"{}", -1), "Inference-Header-Content-Length: expected at most the body's 2"),
        (TENSOR, changed(framed(sent(ROW, [1, 3])), 20), "body: not valid JSON: "),
        (TENSOR, changed(framed(sent(ROW, [1, 3])), 0), "body: not valid JSON: "),
        (
            TENSOR,
            changed(framed(sent(b"", [1, 3], size=24)), 0),
            SIZE + "a header Inference-Header-Content-Length, got none",
        ),
        (TENSOR, framed(sent(ROW, [1, 3], size=-1)), SIZE + "a whole number >= 0, got -1"),
        (
            TENSOR,
            framed(sent(ROW, [1, 3], size=2**70)),
            SIZE + f"at most the 24 bytes that follow, got {2**70}",
        ),
        (
            TENSOR,
            framed(sent(ROW, [1, 3], size="24")),
            SIZE + "a whole number or null, got the string '24'",
        ),
        (TENSOR, framed(sent(ROW, [1, 3], size=25)), SIZE + "at most the 24 bytes that follow, got 25"),
        (
            TENSOR,
            framed(sent(ROW[:16], [1, 3])),
            SIZE + "24 bytes for the shape [1, 3] of FP64, got 16",
        ),
        (TENSOR, framed(sent(b"", [1, 3])), SIZE + "24 bytes for the shape [1, 3] of FP64, got 0"),
        (TENSOR, framed(sent(ROW * 2, [1, 3])), SIZE + "24 bytes for the shape [1, 3] of FP64, got 48"),
        (
            TENSOR,
            framed(sent(ROW, [1, 3], "FP32")),
            SIZE + "12 bytes for the shape [1, 3] of FP32, got 24",
        ),
        (
            TENSOR,
            framed(sent(ROW, [1, 3]), tail=b"\0\0"),
            "body: expected its end after the last tensor, got 2 bytes more",
        ),
        (
            TENSOR,
            framed(in_json([1, 2, 3], [1, 3], "FP64"), tail=b"\0"),
            "body: expected its end after the last tensor, got 1 bytes more",
        ),
        (
            TENSOR,
            framed({"name": "x", "shape": [1, 3], "datatype": "FP64"}, tail=ROW),
            'inputs[0]: expected "data" or the parameter "binary_data_size", got neither',
        ),
        (
            TENSOR,
            framed(
                in_json([1, 2, 3], [1, 3], "FP64") | {"parameters": {"binary_data_size": 24}}, tail=ROW
            ),
            'inputs[0]: expected "data" or the parameter "binary_data_size", got both',
        ),
        (
            TENSOR,
            framed(in_json([1, 2, 3], [1, 3], "FP64") | {"parameters": 5}),
            "inputs[0].parameters: expected an object or null, got 5",
        ),
        (TENSOR, framed(sent(ROW, [3])), "inputs[0].shape: expected [rows, 3], got [3]"),
        (TENSOR, framed(sent(ROW, [5, 3])), "inputs[0].shape[0]: expected 1 to 4 rows, got 5"),
        (TENSOR, framed(sent(b"", [0, 3])), "inputs[0].shape[0]: expected 1 to 4 rows, got 0"),
        (TENSOR, framed(sent(ROW, [1, 3], "BF16")), "inputs[0].datatype: expected FP16 or FP32 or "),
        (TENSOR, framed(sent(ROW, [1, 3]), sent(ROW, [1, 3])), "inputs: expected one input, got 2"),
        (
            TENSOR,
            framed(sent(raw([[1, 2, 3], [1, np.nan, 3]], "FP64"), [2, 3])),
            "inputs[0].data[1][1]: expected a finite number, got nan",
        ),
        (
            GAPS,
            framed(sent(raw([1, 2, np.inf], "FP64"), [1, 3])),
            "inputs[0].data[0][2]: expected a finite number, got inf",
        ),
        (
            GAPS,
            framed(sent(raw([-np.inf, np.nan, 3], "FP16"), [1, 3], "FP16")),
            "inputs[0].data[0][0]: expected a finite number, got -inf",
        ),
        (TENSOR, framed(sent(raw([2**63] * 3, "UINT64"), [1, 3], "UINT64")), TOO_LARGE),
        (
            TEXT,
            framed(sent(b"\0\0\0", [1], "BYTES")),
            "inputs[0].data[0]: expected 4 bytes with its length, got 3",
        ),
        (
            TEXT,
            framed(sent(raw(["a"], "BYTES"), [2], "BYTES")),
            "inputs[0].data[1]: expected 4 bytes with its length, got 0",
        ),
        (
            TEXT,
            framed(sent(b"\xff\xff\xff\xffabc", [1], "BYTES")),
            "inputs[0].data[0]: expected 4294967295 bytes of text, got 3",
        ),
        (
            TEXT,
            framed(sent(raw(["a", "b"], "BYTES"), [1], "BYTES")),
            "inputs[0].data: expected 1 strings for the shape [1], got 5 bytes more",
        ),
        (
            TEXT,
            framed(sent(raw(["a", b"\xed\xa0\x80"], "BYTES"), [2], "BYTES")),
            "inputs[0].data[1]: expected UTF-8, got invalid continuation byte",
        ),
        (TEXT, framed(sent(ROW, [3], "FP64")), "inputs[0].datatype: expected BYTES, got 'FP64'"),
        (
            TEXT,
            framed(sent(raw(["a"], "BYTES"), [1, 2], "BYTES")),
            "inputs[0].shape: expected [rows] or [rows, 1], got [1, 2]",
        ),
        (
            TABLE,
            framed(*table(2, new=sent(b"\1\2", [2], "BOOL", "new"))),
            "inputs[3].data[1]: expected a byte of 0 or 1, got 2",
        ),
        (
            TABLE,
            framed(*table(size=sent(raw([np.nan], "FP64"), [1], "FP64", "size"))),
            "inputs[0].data[0]: expected a finite number, got nan",
        ),
        (
            TABLE,
            framed(*table(rooms=sent(raw([2**63], "UINT64"), [1], "UINT64", "rooms"))),
            TOO_LARGE.replace("[0]", "[2]"),
        ),
        (
            TABLE,
            framed(*table(rooms=sent(raw([1], "FP64"), [1], "FP64", "rooms"))),
            "inputs[2].datatype: expected INT8 or INT16",
        ),
        (
            TABLE,
            framed(*table(rooms=sent(raw([1, 2], "INT8"), [2], "INT8", "rooms"))),
            "inputs[2].shape[0]: expected 1 rows as in the first input, got 2",
        ),
    ],
)
def test_bad_request(signature: Signature, request_: tuple[bytes, int], message: str) -> None:
    """What doesn't fit is refused with the place, and what came and was expected there."""
    with pytest.raises(BadInput) as refused:
        codec(signature).decode(*request_)
    assert str(refused.value).startswith(message)


DATATYPES = st.sampled_from([*DTYPES, "BYTES", "BF16", ""])
SHAPES = st.sampled_from([[1], [2], [1, 3], [2, 3], [1, 1], [2, 1], [3, 1], [0], [1, 0], [1, 2**70]])
NAMES = st.sampled_from(["x", "size", "city", "rooms", "new"])
TENSORS = st.binary(max_size=50) | st.lists(st.binary(max_size=3), max_size=3).map(
    lambda texts: raw(texts, "BYTES")
)
SIZES = st.none() | st.none() | st.integers(-1, 60) | st.just(2**70)
SENT = st.builds(sent, TENSORS, SHAPES, DATATYPES, NAMES, SIZES)
IN_JSON = st.builds(in_json, st.lists(st.integers(0, 1), max_size=3), SHAPES, DATATYPES, NAMES)
FRAMES = st.lists(SENT | IN_JSON, min_size=1, max_size=5).map(lambda inputs: framed(*inputs))
OFF_BY = st.just(0) | st.integers(-40, 40)


@pytest.mark.parametrize("signature", EVERY_KIND, ids=lambda signature: signature.kind)
@given(frame=FRAMES, off_by=OFF_BY, tail=st.just(b"") | st.binary(max_size=4))
def test_anything(signature: Signature, frame: tuple[bytes, int], off_by: int, tail: bytes) -> None:
    """Whatever the JSON, the bytes and the header say, it is rows or a 400; never another error."""
    check(signature, frame[0] + tail, frame[1] + off_by)


@pytest.mark.parametrize("signature", EVERY_KIND, ids=lambda signature: signature.kind)
@given(data=st.data())
def test_right_frame_around_anything(signature: Signature, data: st.DataObject) -> None:
    """Where the frame is right, any bytes in it are rows or a 400."""
    rows = data.draw(st.integers(1, MAX_ROWS))
    inputs = []
    for column in signature.inputs:
        fitting = {"string": ["BYTES"], "bool": ["BOOL"], "int64": ["UINT64", "INT8", "INT64"]}
        datatype = data.draw(st.sampled_from(fitting.get(column.dtype, NUMBERS)))
        shape = [rows, *column.shape[1:]]
        size = int(np.prod(shape)) * np.dtype(DTYPES.get(datatype, "u1")).itemsize
        exact = st.binary(min_size=size, max_size=size)
        part = data.draw(TENSORS if datatype == "BYTES" else exact)
        inputs.append(sent(part, shape, datatype, column.name))
    check(signature, *framed(*inputs))


def check(signature: Signature, body: bytes, json_size: int) -> None:
    """Decode; what comes of it must be rows for the model or a sentence for the client."""
    try:
        asked = codec(signature).decode(body, json_size)
    except BadInput as refused:
        msgspec.json.encode(refused.message)
    else:
        assert 1 <= len(asked.rows) <= MAX_ROWS
        assert len(asked.rows.canonical()) == len(asked.rows.model_input())


@pytest.mark.parametrize(
    ("values", "dtype", "packed"),
    [
        ([1.5, float("nan")], "float64", struct.pack("<2d", 1.5, float("nan"))),
        ([[0.25, 0.75], [1.0, 0.0]], "float64", struct.pack("<4d", 0.25, 0.75, 1, 0)),
        ([1, -2], "float64", struct.pack("<2d", 1, -2)),
        ([7, -(2**63)], "int64", struct.pack("<2q", 7, -(2**63))),
        ([True, False], "bool", b"\1\0"),
        (["", "ü\0"], "string", b"\0\0\0\0\3\0\0\0\xc3\xbc\0"),
        ([["a\0", "b"]], "string", b"\2\0\0\0a\0\1\0\0\0b"),
    ],
)
def test_pack(values: list[Any], dtype: DType, packed: bytes) -> None:
    """An output's bytes are little-endian and row-major, its strings have their length before them."""
    assert pack(values, dtype) == packed


@pytest.mark.parametrize(("values", "dtype"), [([1.5], "int64"), ([1], "bool"), ([None], "float64")])
def test_pack_loses_nothing(values: list[Any], dtype: DType) -> None:
    """A value that isn't of the output's dtype is an error rather than another value."""
    with pytest.raises(TypeError):
        pack(values, dtype)


def test_frames_say_what_they_hold() -> None:
    """The tests' own frames are as the extension has them."""
    body, size = framed(sent(raw([1], "UINT32"), [1], "UINT32"), sent(b"\1", [1], "BOOL"))
    assert [each["parameters"]["binary_data_size"] for each in json.loads(body[:size])["inputs"]] == [
        4,
        1,
    ]
    assert body[size:] == b"\1\0\0\0\1"
