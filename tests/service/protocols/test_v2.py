"""V2: the Open Inference Protocol's requests are read whole; what doesn't fit is named by its place."""

import itertools
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.protocols import V2
from service.signature import Signature
from tests.fakes import fake_version
from tests.service.protocols.frames import framed, parted, raw, sent
from tests.service.protocols.signatures import EVERY_KIND, GAPS, MAX_ROWS, TABLE, TENSOR, TEXT

COLUMNS = "size, city, rooms, new"
OVERFLOW = "inputs[0].data: expected finite numbers, got "


def codec(signature: Signature = TENSOR) -> V2:
    """Return the protocol for a signature."""
    return V2(fake_version(name="m", number=3, signature=signature), MAX_ROWS)


def tensor(data: Any, shape: Any = (1, 3), datatype: str = "FP64", name: str = "x") -> dict[str, Any]:
    """Return one input."""
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def table(rows: int = 1, **changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an input for each column of `TABLE`, some of them changed."""
    columns = {
        "size": tensor([1.5] * rows, [rows], "FP64", "size"),
        "city": tensor(["Rome"] * rows, [rows], "BYTES", "city"),
        "rooms": tensor([2] * rows, [rows], "INT64", "rooms"),
        "new": tensor([True] * rows, [rows], "BOOL", "new"),
    }
    return [each | changed.get(name, {}) for name, each in columns.items()]


def body(*inputs: Any, **more: Any) -> bytes:
    """Return a request."""
    return json.dumps({"inputs": inputs} | more).encode()


def refusal(signature: Signature, request: bytes) -> str:
    """Return the sentence with which a request is refused."""
    with pytest.raises(BadInput) as refused:
        codec(signature).decode(request)
    return str(refused.value)


@pytest.mark.parametrize("name", ["x", "input-0", ""])
def test_tensor(name: str) -> None:
    """A model of numbers takes one input of any name."""
    asked = codec().decode(body(tensor([[1, 2.5, -3]], name=name)))
    np.testing.assert_array_equal(asked.rows.model_input(), [[1, 2.5, -3]])
    assert (asked.outputs, asked.id) == (("predict",), None)


@given(st.lists(st.lists(st.floats(-1e300, 1e300), min_size=3, max_size=3), min_size=1, max_size=4))
def test_nested_equals_flat(values: list[list[float]]) -> None:
    """Nested and flat data are the same rows, in row-major order."""
    shape = [len(values), 3]
    nested = codec().decode(body(tensor(values, shape))).rows
    flat = codec().decode(body(tensor([*itertools.chain(*values)], shape))).rows
    assert nested.canonical() == flat.canonical()
    np.testing.assert_array_equal(nested.model_input(), values)


@pytest.mark.parametrize(
    ("shape", "data"),
    [([2], ["a", "ü"]), ([2, 1], ["a", "ü"]), ([2, 1], [["a"], ["ü"]]), ([2], [["a"], ["ü"]])],
)
def test_text(shape: list[int], data: list[Any]) -> None:
    """A text model takes a column of strings, in any of its spellings."""
    rows = codec(TEXT).decode(body(tensor(data, shape, "BYTES"))).rows
    assert rows.model_input() == ["a", "ü"]


def test_table() -> None:
    """A table takes one input for each column, in any order; null is a value where it is allowed."""
    inputs = table(2, city={"data": ["Rome", None]}, new={"shape": [2, 1], "data": [[True], [False]]})
    for order in (inputs, inputs[::-1]):
        rows = codec(TABLE).decode(body(*order)).rows
        assert rows.values == [(1.5, "Rome", 2, True), (1.5, None, 2, False)]


def test_null_where_nullable() -> None:
    """A model that takes gaps reads null as NaN, in any datatype that feeds it."""
    for datatype in ("FP64", "FP32", "INT32"):
        rows = codec(GAPS).decode(body(tensor([1, None, 3], datatype=datatype))).rows
        np.testing.assert_array_equal(rows.model_input(), [[1, np.nan, 3]])


@pytest.mark.parametrize(
    ("signature", "request_body", "message"),
    [
        (TENSOR, b"{", "body: not valid JSON: "),
        (TENSOR, b"[]", "body: expected an object, got an empty list"),
        (TENSOR, b"{}", "body: object missing required field `inputs`, got an object with no members"),
        (TENSOR, body(), "inputs: expected a list of length >= 1, got an empty list"),
        (TENSOR, b'{"inputs": 5}', "inputs: expected a list, got 5"),
        (TENSOR, body(5), "inputs[0]: expected an object, got 5"),
        (TENSOR, body(tensor([1, 2, 3]), id=5), "id: expected a string or null, got 5"),
        (
            TENSOR,
            body({"shape": [1, 3]}),
            "inputs[0]: object missing required field `name`, got an object with 'shape'",
        ),
        (TENSOR, body(tensor([1, 2, 3]), tensor([1, 2, 3])), "inputs: expected one input, got 2"),
        (TENSOR, body(tensor([1, 2, 3], [3])), "inputs[0].shape: expected [rows, 3], got [3]"),
        (TENSOR, body(tensor([1, 2], [1, 2])), "inputs[0].shape: expected [rows, 3], got [1, 2]"),
        (
            TENSOR,
            body(tensor([1, 2, 3], [1, 3, 1])),
            "inputs[0].shape: expected a list of length <= 2, got a list of 3",
        ),
        (
            TENSOR,
            body(tensor([1, 2, 3], [])),
            "inputs[0].shape: expected a list of length >= 1, got an empty list",
        ),
        (
            TENSOR,
            body(tensor([1, 2, 3], [-1, 3])),
            "inputs[0].shape[0]: expected a whole number >= 0, got -1",
        ),
        (
            TENSOR,
            body(tensor([1, 2, 3], ["1", 3])),
            "inputs[0].shape[0]: expected a whole number, got the string '1'",
        ),
        (TENSOR, body(tensor([], [0, 3])), "inputs[0].shape[0]: expected 1 to 4 rows, got 0"),
        (TENSOR, body(tensor([0] * 15, [5, 3])), "inputs[0].shape[0]: expected 1 to 4 rows, got 5"),
        (TENSOR, body(tensor([1, 2])), "inputs[0].data: expected 3 values for the shape [1, 3], got 2"),
        (
            TENSOR,
            body(tensor([1, 2, 3, 4])),
            "inputs[0].data: expected 3 values for the shape [1, 3], got 4",
        ),
        (TENSOR, body(tensor([])), "inputs[0].data: expected 3 values for the shape [1, 3], got 0"),
        (
            TENSOR,
            body(tensor([[1, 2, 3], [1, 2]], [2, 3])),
            "inputs[0].data[1]: expected 3 values, got 2",
        ),
        (TENSOR, body(tensor([[1, 2, 3], 4], [2, 3])), "inputs[0].data[1]: expected a list, got 4"),
        (TENSOR, body(tensor([1, [2], 3])), "inputs[0].data[1]: expected a number, got a list of 1"),
        (TENSOR, body(tensor("abc")), "inputs[0].data: expected a list, got the string 'abc'"),
        (TENSOR, body(tensor(None)), "inputs[0].data: expected a list, got null"),
        (TENSOR, body(tensor([1, "2", 3])), "inputs[0].data[1]: expected a number, got the string '2'"),
        (TENSOR, body(tensor([1, None, 3])), "inputs[0].data[1]: expected a number, got null"),
        (TENSOR, body(tensor([1, True, 3])), "inputs[0].data[1]: expected a number, got true"),
        (
            TENSOR,
            body(tensor([[1, 2, "x"]])),
            "inputs[0].data[0][2]: expected a number, got the string 'x'",
        ),
        (TENSOR, body(tensor([1, 2, float("nan")])), "body: not valid JSON: "),
        (TENSOR, body(tensor([1, 2, float("inf")])), "body: not valid JSON: "),
        (
            TENSOR,
            body(tensor([1, 2, 3])).replace(b"3]}", b"1e999]}"),
            "inputs[0].data[2]: number out of range",
        ),
        (TENSOR, body(tensor([1, 2, 1e39], datatype="FP32")), OVERFLOW),
        (TENSOR, body(tensor([1, 2, 7e4], datatype="FP16")), OVERFLOW),
        (GAPS, body(tensor([1, 2, -1e39], datatype="FP32")), OVERFLOW),
        (
            TENSOR,
            body(tensor(["a"] * 3, datatype="BYTES")),
            "inputs[0].datatype: expected FP16 or FP32 or FP64 or INT8",
        ),
        (TENSOR, body(tensor([1, 2, 3], datatype="FLOAT")), "inputs[0].datatype: expected FP16 or"),
        (TENSOR, body(tensor([1, 2, 3], datatype=64)), "inputs[0].datatype: expected a string, got 64"),
        (
            TENSOR,
            body(tensor([1, 2, 3]), outputs=[{"name": "transform"}]),
            "outputs[0]: this model has no output 'transform'; it has predict",
        ),
        (
            TENSOR,
            body(tensor([1, 2, 3]), outputs=[{"name": "predict", "parameters": {"binary_data": 1}}]),
            "outputs[0].parameters.binary_data: expected true, false or null, got 1",
        ),
        (
            TENSOR,
            body(tensor([1, 2, 3]), parameters={"binary_data_output": "yes"}),
            "parameters.binary_data_output: expected true, false or null, got the string 'yes'",
        ),
        (
            TENSOR,
            body(tensor([1, 2, 3]), outputs=["predict"]),
            "outputs[0]: expected an object, got the string 'predict'",
        ),
        (TEXT, body(tensor([1], [1], "INT64")), "inputs[0].datatype: expected BYTES, got 'INT64'"),
        (
            TEXT,
            body(tensor(["a", "b"], [1, 2], "BYTES")),
            "inputs[0].shape: expected [rows] or [rows, 1], got [1, 2]",
        ),
        (TEXT, body(tensor([5], [1], "BYTES")), "inputs[0].data[0]: expected a string, got 5"),
        (TEXT, body(tensor([None], [1], "BYTES")), "inputs[0].data[0]: expected a string, got null"),
        (
            TEXT,
            body(tensor(["X"], [1], "BYTES")).replace(b"X", b"\xff"),
            "inputs[0].data: not valid JSON: ",
        ),
        (
            TEXT,
            body(tensor([["X"]], [1], "BYTES")).replace(b"X", b"\xff"),
            "inputs[0].data: not valid JSON: ",
        ),
        (TEXT, body(tensor(["X"], [1], "BYTES")).replace(b"X", rb"\ud800"), "body: not valid JSON: "),
        (TEXT, body(tensor(["X"], [1], "BYTES")).replace(b'"X"', b"[" * 100_000), "body: "),
        (TABLE, body(*table()[1:]), f"inputs: column 'size' is missing; expected {COLUMNS}"),
        (
            TABLE,
            body(*table(), tensor([1], [1], name="old")),
            f"inputs[4].name: unknown column 'old'; expected {COLUMNS}",
        ),
        (
            TABLE,
            body(*table(), table()[0]),
            f"inputs: a column is given twice; expected one input for each of {COLUMNS}",
        ),
        (
            TABLE,
            body(*table(rooms={"shape": [2], "data": [1, 2]})),
            "inputs[2].shape[0]: expected 1 rows as in the first input, got 2",
        ),
        (TABLE, body(*table(5)), "inputs[0].shape[0]: expected 1 to 4 rows, got 5"),
        (TABLE, body(*table(size={"data": [None]})), "inputs[0].data[0]: expected a number, got null"),
        (TABLE, body(*table(size={"datatype": "FP32", "data": [1e39]})), OVERFLOW),
        (
            TABLE,
            body(*table(city={"data": [5]})),
            "inputs[1].data[0]: expected a string or null, got 5",
        ),
        (
            TABLE,
            body(*table(rooms={"data": [2.5]})),
            "inputs[2].data[0]: expected a whole number, got 2.5",
        ),
        (TABLE, body(*table(rooms={"datatype": "FP64"})), "inputs[2].datatype: expected INT8 or INT16"),
        (TABLE, body(*table(new={"data": [1]})), "inputs[3].data[0]: expected true or false, got 1"),
        (
            TABLE,
            body(*table(new={"datatype": "INT8"})),
            "inputs[3].datatype: expected BOOL, got 'INT8'",
        ),
    ],
)
def test_bad_request(signature: Signature, request_body: bytes, message: str) -> None:
    """What doesn't fit is refused with the place, and what came and was expected there."""
    assert refusal(signature, request_body).startswith(message)


@pytest.mark.parametrize(
    ("outputs", "selected"),
    [
        ([], ("predict",)),
        (["predict_proba"], ("predict_proba",)),
        (["predict_proba", "predict", "predict"], ("predict_proba", "predict")),
    ],
)
def test_outputs(outputs: list[str], selected: tuple[str, ...]) -> None:
    """Outputs are given in the order asked for, each once; none asked for is the first."""
    request = body(tensor([1, 2, 3]), outputs=[{"name": name, "parameters": {}} for name in outputs])
    assert codec().decode(request).outputs == selected


def reply(request: bytes, columns: dict[str, list[Any]], signature: Signature = TENSOR) -> Any:
    """Return the reply to a request."""
    return json.loads(codec(signature).encode(codec(signature).decode(request), columns))


def test_reply() -> None:
    """A reply names model and version, and gives each output its shape, datatype and flat data."""
    outputs = [{"name": "predict_proba"}, {"name": "predict"}]
    request = body(tensor([0] * 6, [2, 3]), outputs=outputs)
    columns = {"predict": [7, 8], "predict_proba": [[0.25, 0.75], [float("nan"), 1.0]]}
    assert reply(request, columns) == {
        "model_name": "m",
        "model_version": "3",
        "outputs": [
            {
                "name": "predict_proba",
                "shape": [2, 2],
                "datatype": "FP64",
                "data": [0.25, 0.75, None, 1],
            },
            {"name": "predict", "shape": [2], "datatype": "INT64", "data": [7, 8]},
        ],
    }


def test_reply_with_strings() -> None:
    """Strings go out as BYTES."""
    given_reply = reply(body(tensor(["a"], [1], "BYTES")), {"predict": ["spam"]}, TEXT)
    assert given_reply["outputs"] == [
        {"name": "predict", "shape": [1], "datatype": "BYTES", "data": ["spam"]}
    ]


PROBABLE = {"predict": [7, 8], "predict_proba": [[0.25, 0.75], [float("nan"), 1.0]]}


def wanted(name: str, binary: bool | None = None) -> dict[str, Any]:
    """Return an output to ask for."""
    return {"name": name} if binary is None else {"name": name, "parameters": {"binary_data": binary}}


@pytest.mark.parametrize(
    ("outputs", "every", "binary"),
    [
        ([], True, ["predict"]),
        ([wanted("predict", True)], None, ["predict"]),
        ([wanted("predict", True)], False, ["predict"]),
        ([wanted("predict"), wanted("predict_proba", True)], None, ["predict_proba"]),
        ([wanted("predict_proba", True), wanted("predict", False)], True, ["predict_proba"]),
        ([wanted("predict_proba"), wanted("predict")], True, ["predict_proba", "predict"]),
        ([wanted("predict_proba", False), wanted("predict", True)], True, ["predict"]),
    ],
)
def test_binary_reply(outputs: list[Any], every: bool | None, binary: list[str]) -> None:
    """An output that is asked for as bytes follows the JSON, in order; the others are in it."""
    parameters = {} if every is None else {"parameters": {"binary_data_output": every}}
    request = body(tensor([0] * 6, [2, 3]), outputs=outputs, id="42", **parameters)
    asked = codec().decode(request)
    told, tensors = parted(codec().encode(asked, PROBABLE))
    assert (told["id"], told["model_name"], told["model_version"]) == ("42", "m", "3")
    assert [each["name"] for each in told["outputs"]] == [each["name"] for each in outputs] or [
        "predict"
    ]
    assert list(tensors) == binary
    in_json = {each["name"]: each for each in reply(request_in_json(outputs), PROBABLE)["outputs"]}
    for output in told["outputs"]:
        expected = in_json[output["name"]]
        if output["name"] in binary:
            assert output.pop("parameters") == {"binary_data_size": len(tensors[output["name"]])}
            data = expected.pop("data")
            dtype = {"FP64": "<f8", "INT64": "<i8"}[output["datatype"]]
            np.testing.assert_array_equal(
                np.frombuffer(tensors[output["name"]], dtype), np.array(data, dtype=dtype)
            )
        assert output == expected


def request_in_json(outputs: list[Any]) -> bytes:
    """Return a request for the same outputs, all in JSON."""
    return body(tensor([0] * 6, [2, 3]), outputs=[wanted(each["name"]) for each in outputs])


@pytest.mark.parametrize(
    ("outputs", "every"), [([], None), ([], False), ([wanted("predict", False)], True)]
)
def test_json_reply(outputs: list[Any], every: bool | None) -> None:
    """Where no output is asked for as bytes, the reply is JSON alone, however the request came."""
    given_request = framed(
        sent(raw([0] * 3, "FP64"), [1, 3]), outputs=outputs, parameters={"binary_data_output": every}
    )
    answered = codec().encode(codec().decode(*given_request), {"predict": [1]})
    assert isinstance(answered, bytes)
    assert json.loads(answered)["outputs"][0]["data"] == [1]


def test_binary_strings() -> None:
    """Strings go out with their length before them."""
    request = body(tensor(["a", "b"], [2], "BYTES"), parameters={"binary_data_output": True})
    asked = codec(TEXT).decode(request)
    told, tensors = parted(codec(TEXT).encode(asked, {"predict": ["spam", ""]}))
    assert tensors == {"predict": b"\4\0\0\0spam\0\0\0\0"}
    assert told["outputs"] == [
        {"name": "predict", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 12}}
    ]


@pytest.mark.parametrize("more", [{"id": "42"}, {"id": ""}, {"id": None}, {}])
def test_id_is_echoed(more: dict[str, Any]) -> None:
    """The client's id comes back, and there is none where the client gave none."""
    given_reply = reply(body(tensor([1, 2, 3]), **more), {"predict": [1]})
    assert given_reply.get("id") == more.get("id")
    assert ("id" in given_reply) == (more.get("id") is not None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=10,
)
INPUTS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["x", "size", "city", "rooms", "new"]) | JSON,
        "shape": st.sampled_from([[1], [1, 3], [2, 3], [1, 1]]) | JSON,
        "datatype": st.sampled_from(["FP64", "FP16", "BYTES", "BOOL", "UINT8", "INT64"]) | JSON,
        "data": st.lists(st.floats() | st.integers() | st.text(max_size=2), max_size=6) | JSON,
    }
)
REQUESTS = st.one_of(
    st.binary(max_size=30),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"inputs": st.lists(INPUTS, max_size=5)}, optional={"outputs": JSON, "id": JSON}
    ).map(lambda value: json.dumps(value).encode()),
)


@pytest.mark.parametrize("signature", EVERY_KIND, ids=lambda signature: signature.kind)
@given(request_body=REQUESTS)
def test_anything(signature: Signature, request_body: bytes) -> None:
    """Whatever bytes come in, they are rows for the model or a 400; never another error."""
    try:
        asked = codec(signature).decode(request_body)
    except BadInput as refused:
        msgspec.json.encode(refused.message)
    else:
        assert 1 <= len(asked.rows) <= MAX_ROWS
        assert len(asked.rows.canonical()) == len(asked.rows.model_input())


@given(st.binary(max_size=8))
def test_any_string(text: bytes) -> None:
    """Whatever bytes stand in a string, the request is read or refused."""
    request = body(tensor(["X"], [1], "BYTES")).replace(b"X", text)
    try:
        codec(TEXT).decode(request)
    except BadInput as refused:
        msgspec.json.encode(refused.message)
