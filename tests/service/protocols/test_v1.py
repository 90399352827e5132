"""V1: rows of every kind are read; what doesn't fit is a 400 that names where, what, and what else."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.protocols import V1
from service.signature import Signature
from tests.fakes import fake_version
from tests.service.protocols.signatures import EVERY_KIND, GAPS, MAX_ROWS, TABLE, TENSOR, TEXT

ROW = "a list of 3 numbers"
RECORD = (
    "an object with the columns size (number), city (string or null), rooms (whole number), "
    "new (true or false), or a list of these values in this order"
)


def codec(signature: Signature = TENSOR) -> V1:
    """Return the protocol for a signature."""
    return V1(fake_version(signature=signature), MAX_ROWS)


def values_of(rows: Any) -> Any:
    """Return rows as plain lists."""
    return rows.values.tolist() if isinstance(rows.values, np.ndarray) else list(rows.values)


@pytest.mark.parametrize(
    ("signature", "rows", "values"),
    [
        (TENSOR, "[[1, 2.5, -3e2], [0, -0.0, 1e308]]", [[1, 2.5, -300], [0, 0, 1e308]]),
        (
            TENSOR,
            "[[123456789012345678901234567890, 0, 0]]",
            [[123456789012345678901234567890.0, 0, 0]],
        ),
        (TEXT, '["good morning", "", "ü\\u0000\\ud83d\\ude00"]', ["good morning", "", "ü\0😀"]),
        (TABLE, '[{"size": 1, "city": "Rome", "rooms": 2, "new": true}]', [(1.0, "Rome", 2, True)]),
        (TABLE, '[{"new": false, "rooms": -1, "city": null, "size": 2}]', [(2.0, None, -1, False)]),
        (
            TABLE,
            '[[1.5, "Rome", 2, true], [1, null, 0, false]]',
            [(1.5, "Rome", 2, True), (1, None, 0, False)],
        ),
    ],
)
@pytest.mark.parametrize("member", ["instances", "inputs"])
def test_rows(member: str, signature: Signature, rows: str, values: list[Any]) -> None:
    """Rows are lists, objects or strings, under either name; columns come in the model's order."""
    asked = codec(signature).decode(f'{{"{member}": {rows}, "signature_name": "x"}}'.encode())
    assert values_of(asked.rows) == values
    assert asked.outputs == ("predict",)
    assert asked.id is None


def test_null_where_nullable() -> None:
    """A model that takes gaps reads null as NaN."""
    rows = codec(GAPS).decode(b'{"instances": [[1, null, 3]]}').rows
    np.testing.assert_array_equal(rows.model_input(), [[1, np.nan, 3]])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "body: not valid JSON: "),
        ("{", "body: not valid JSON: "),
        ('{"instances": [[1, 2, 3]]} x', "body: not valid JSON: "),
        ('{"instances": [[1, 2, NaN]]}', "body: not valid JSON: "),
        ('{"instances": [[1, 2, Infinity]]}', "body: not valid JSON: "),
        ('{"instances": [[1, 2, 3]], "x": ' + "[" * 100_000, "body: nested too deeply"),
        ("[]", "body: expected an object, got an empty list"),
        ("null", "body: expected an object, got null"),
        ("{}", 'body: expected a member "instances" with a list of rows, got none'),
        ('{"instances": 5}', "instances: expected a list, got 5"),
        ('{"instances": null}', "instances: expected a list, got null"),
        ('{"inputs": {"x": [1]}}', "inputs: expected a list, got an object with 'x'"),
        ('{"instances": []}', "instances: expected a list of length >= 1, got an empty list"),
        (
            '{"instances": [[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3]]}',
            "instances: expected a list of length <= 4, got a list of 5",
        ),
        (
            '{"instances": [[1,2,3]], "inputs": [[1,2,3]]}',
            'body: "instances" and "inputs" mean the same; give one of them',
        ),
        ('{"instances": [[1, 2, 3], [1, 2]]}', f"instances[1]: expected {ROW}, got a list of 2"),
        ('{"instances": [[1, 2, 3, 4]]}', f"instances[0]: expected {ROW}, got a list of 4"),
        ('{"instances": [{"x": 1}]}', f"instances[0]: expected {ROW}, got an object with 'x'"),
        ('{"inputs": ["a"]}', f"inputs[0]: expected {ROW}, got the string 'a'"),
        ('{"instances": [[1, "2", 3]]}', "instances[0][1]: expected a number, got the string '2'"),
        ('{"instances": [[1, 2, null]]}', "instances[0][2]: expected a number, got null"),
        ('{"instances": [[true, 2, 3]]}', "instances[0][0]: expected a number, got true"),
        ('{"instances": [[1, [2], 3]]}', "instances[0][1]: expected a number, got a list of 1"),
        ('{"instances": [[1, 1e999, 3]]}', "instances[0][1]: number out of range"),
        ('{"instances": [[1, -1e999, 3]]}', "instances[0][1]: number out of range"),
        (
            f'{{"instances": [[1, {"9" * 400}, 3]]}}',
            f"instances[0][1]: number out of range, got {'9' * 20}…",
        ),
        (
            '{"instances": [[1,2,3]], "outputs": ["predict", "transform"]}',
            "outputs[1]: this model has no output 'transform'; it has predict, predict_proba",
        ),
        (
            '{"instances": [[1,2,3]], "outputs": "predict"}',
            "outputs: expected a list, got the string 'predict'",
        ),
        ('{"instances": [[1,2,3]], "outputs": [1]}', "outputs[0]: expected a string, got 1"),
    ],
)
def test_bad_body(body: str, message: str) -> None:
    """What doesn't fit a model of numbers is refused with the place, and what came and was expected."""
    with pytest.raises(BadInput) as refused:
        codec().decode(body.encode())
    given_message = str(refused.value)
    assert given_message.startswith(message) if message.endswith(": ") else given_message == message


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            '{"size": 1, "city": "a", "rooms": 2}',
            f"instances[0]: object missing required field `new`; a row is {RECORD}",
        ),
        (
            '{"size": 1, "city": "a", "rooms": 2, "new": true, "old": 1}',
            f"instances[0]: object contains unknown field `old`; a row is {RECORD}",
        ),
        ('[1, "a", 2]', f"instances[0]: expected {RECORD}, got a list of 3"),
        ('[1, "a", 2, true, 5]', f"instances[0]: expected {RECORD}, got a list of 5"),
        ('"a"', f"instances[0]: expected {RECORD}, got the string 'a'"),
        (
            '{"size": null, "city": "a", "rooms": 2, "new": true}',
            "instances[0].size: expected a number, got null",
        ),
        (
            '{"size": true, "city": "a", "rooms": 2, "new": true}',
            "instances[0].size: expected a number, got true",
        ),
        (
            '{"size": 1e999, "city": "a", "rooms": 2, "new": true}',
            "instances[0].size: number out of range",
        ),
        (
            '{"size": 1, "city": 5, "rooms": 2, "new": true}',
            "instances[0].city: expected a string or null, got 5",
        ),
        (
            '{"size": 1, "city": "a", "rooms": 2.5, "new": true}',
            "instances[0].rooms: expected a whole number, got 2.5",
        ),
        (
            '{"size": 1, "city": "a", "rooms": 9223372036854775808, "new": true}',
            f"instances[0].rooms: expected a whole number <= {2**63 - 1}, got {2**63}",
        ),
        (
            '{"size": 1, "city": "a", "rooms": 2, "new": 1}',
            "instances[0].new: expected true or false, got 1",
        ),
        ('["a", 1, 2, true]', "instances[0][0]: expected a number, got the string 'a'"),
    ],
)
def test_bad_table(row: str, message: str) -> None:
    """An unknown, missing or mistyped column is refused by its name."""
    with pytest.raises(BadInput) as refused:
        codec(TABLE).decode(f'{{"instances": [{row}]}}'.encode())
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"5", "instances[0]: expected a string, got 5"),
        (b"null", "instances[0]: expected a string, got null"),
        (b'["a"]', "instances[0]: expected a string, got a list of 1"),
        (b'"\xff"', "body: not valid JSON: "),
        (rb'"\ud800"', "body: not valid JSON: "),
    ],
)
def test_bad_text(row: bytes, message: str) -> None:
    """A text is a string in UTF-8 and nothing else."""
    with pytest.raises(BadInput) as refused:
        codec(TEXT).decode(b'{"instances": [' + row + b"]}")
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("outputs", "selected"),
    [
        ('"predict_proba"', ("predict_proba",)),
        ('"predict_proba", "predict", "predict"', ("predict_proba", "predict")),
        ("", ("predict",)),
    ],
)
def test_outputs(outputs: str, selected: tuple[str, ...]) -> None:
    """Outputs are given in the order asked for, each once; none asked for is the first."""
    body = f'{{"instances": [[1, 2, 3]], "outputs": [{outputs}]}}'
    assert codec().decode(body.encode()).outputs == selected


def test_reply() -> None:
    """The first output is `predictions`, each further one a member of its name; NaN becomes null."""
    asked = codec().decode(b'{"instances": [[1, 2, 3]], "outputs": ["predict_proba", "predict"]}')
    columns = {"predict": [7], "predict_proba": [[0.25, float("nan")]]}
    assert json.loads(codec().encode(asked, columns)) == {"predictions": [[0.25, None]], "predict": [7]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["size", "city", "rooms", "new", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=30),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional={"instances": JSON, "inputs": JSON, "outputs": JSON}).map(
        lambda value: json.dumps(value).encode()
    ),
)


@pytest.mark.parametrize("signature", EVERY_KIND, ids=lambda signature: signature.kind)
@given(body=BODIES)
def test_anything(signature: Signature, body: bytes) -> None:
    """Whatever bytes come in, they are rows for the model or a 400; never another error."""
    try:
        asked = codec(signature).decode(body)
    except BadInput as refused:
        msgspec.json.encode(refused.message)
    else:
        assert 1 <= len(asked.rows) <= MAX_ROWS
        assert len(asked.rows.canonical()) == len(asked.rows.model_input())
