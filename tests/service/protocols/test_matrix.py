"""The quick way: it gives what msgspec's way gives, bit for bit, or leaves the body to it."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.errors import BadInput
from service.protocols import V1, Asked, matrix
from service.protocols.matrix import MAX_BYTES, MatrixReader
from service.signature import Signature
from tests.fakes import fake_version
from tests.service.protocols.signatures import GAPS, MAX_ROWS, TENSOR

pytest.importorskip("simdjson", reason="has no wheels for this Python")


def read(body: str | bytes, signature: Signature = TENSOR) -> Asked | None:
    """Read a body the quick way."""
    return MatrixReader(signature, MAX_ROWS).read(body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize(
    ("body", "values", "outputs"),
    [
        ('{"instances": [[1, 2.5, -3e2]]}', [[1, 2.5, -300]], ("predict",)),
        ('{"inputs": [[1,2,3],[4,5,6]]}', [[1, 2, 3], [4, 5, 6]], ("predict",)),
        (' {"instances" :\n[ [1,2 , 3]]\t}\r\n', [[1, 2, 3]], ("predict",)),
        (
            '{"outputs": ["predict_proba", "predict"], "instances": [[1, 2, 3]]}',
            [[1, 2, 3]],
            ("predict_proba", "predict"),
        ),
        ('{"outputs": [], "instances": [[1, 2, 3]]}', [[1, 2, 3]], ("predict",)),
        ('{"signature_name": "serving_default", "instances": [[1, 2, 3]]}', [[1, 2, 3]], ("predict",)),
    ],
)
def test_plain_bodies(body: str, values: list[list[float]], outputs: tuple[str, ...]) -> None:
    """The bodies that clients send are read here, into an array that may be written to."""
    asked = read(body)
    assert asked is not None
    array = asked.rows.model_input()
    np.testing.assert_array_equal(array, np.array(values, dtype=np.float64), strict=True)
    assert asked.outputs == outputs
    assert array.flags["C_CONTIGUOUS"]
    assert array.flags["WRITEABLE"]


def test_the_array_is_its_own() -> None:
    """What was read stays as it is when the next body comes."""
    first, second = read('{"instances": [[1, 2, 3]]}'), read('{"instances": [[4, 5, 6]]}')
    assert first is not None
    assert second is not None
    assert first.rows.model_input().tolist() == [[1, 2, 3]]
    assert second.rows.model_input().tolist() == [[4, 5, 6]]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "5",
        "[[1, 2, 3]]",
        '["instances"]',
        "{}",
        '{"instances": null}',
        '{"instances": []}',
        '{"instances": [[]]}',
        '{"instances": [[1, 2, 3], [1, 2]]}',
        '{"instances": [[1, 2], [3, 4, 5, 6]]}',
        '{"instances": [[1, [2], 3]]}',
        '{"instances": [[[1, 2, 3], [], []]]}',
        '{"instances": [[[1, 2, 3]]]}',
        '{"instances": [1, 2, 3]}',
        '{"instances": ["abc"]}',
        '{"instances": [{"a": 1, "b": 2, "c": 3}]}',
        '{"instances": [[1, true, 3]]}',
        '{"instances": [[1, null, 3]]}',
        '{"instances": [[1, "2", 3]]}',
        '{"instances": [[1, 1e999, 3]]}',
        '{"instances": [[1, NaN, 3]]}',
        '{"instances": [[1, 2, 3]]} x',
        '\ufeff{"instances": [[1, 2, 3]]}',
        b'{"instances": [[1, 2, 3]], "x": "\xff"}',
        json.dumps({"instances": [[1, 2, 3]] * (MAX_ROWS + 1)}),
        '{"instances": [[1, 2, 3]], "inputs": [[1, 2, 3]]}',
        '{"instances": [[1, 2, 3]], "inputs": null}',
        '{"instances": [[1, 2, 3]], "instances": null}',
        '{"instances": [[1, 2, 3]], "instances": [[4, 5, 6]]}',
        '{"instances": [[1, 2, 3]], "inst\\u0061nces": [[4, 5, 6]]}',
        '{"instances": [[1, 2, 3]], "outputs": ["predict"], "outputs": ["predict_proba"]}',
        '{"instances": [[1, 2, 3]], "outputs": "predict"}',
        '{"instances": [[1, 2, 3]], "outputs": ["transform"]}',
        '{"instances": [[1, 2, 3]], "outputs": [["predict"]]}',
        '{"instances": [[1, 2, 3]], "parameters": [1]}',
    ],
)
def test_doubt(body: str | bytes) -> None:
    """What isn't plainly right is msgspec's, and the next body is read as if nothing had been."""
    assert read(body) is None
    assert read('{"instances": [[1, 2, 3]]}') is not None


def test_large_body() -> None:
    """A body that would make the parser keep much memory is msgspec's."""
    body = '{"instances": [[1, 2, 3]]}'
    assert read(body + " " * (MAX_BYTES - len(body))) is not None
    assert read(body + " " * (MAX_BYTES - len(body) + 1)) is None


def test_without_simdjson(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where simdjson isn't installed, msgspec reads every body."""
    monkeypatch.setattr(matrix, "_PARSER", None)
    body = b'{"instances": [[1, 2, 3]]}'
    assert read(body) is None
    asked = V1(fake_version(signature=TENSOR), MAX_ROWS).decode(body)
    assert asked.rows.model_input().tolist() == [[1, 2, 3]]


GOOD = (
    st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.integers().map(str)
    | st.decimals(allow_nan=False, allow_infinity=False).map(str)
    | st.sampled_from(["-0", "-0.0", "5e-324", "1e-400", f"{2**53 + 1}", f"{2**64 - 1}", "9" * 25])
)
ODD = st.sampled_from(
    ["1e400", "-1e400", "9" * 400, "01", "1.", ".5", "NaN", "true", "null", '"1"', "[1]", "[]", "{}"]
)


def rarely(odd: st.SearchStrategy[str], usual: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return mostly the usual: a body with an oddity in every place tells little."""
    return st.integers(0, 9).flatmap(lambda dice: odd if dice == 9 else usual)


def listed(item: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[str]:
    """Return JSON lists."""
    return st.lists(item, min_size=least, max_size=most).map(lambda items: f"[{', '.join(items)}]")


NUMBER = rarely(ODD, GOOD)
ROW = rarely(ODD | listed(NUMBER, 0, 5), listed(NUMBER, 3, 3))
ROWS = rarely(ODD | listed(ROW, 0, 6), listed(ROW, 1, MAX_ROWS))
NAMES = listed(st.sampled_from(['"predict"', '"predict_proba"', '"pre\\u0064ict"', '"x"', '"["']), 0, 2)
MEMBER = (
    st.tuples(st.sampled_from(['"instances"', '"inputs"', '"inst\\u0061nces"']), ROWS)
    | st.tuples(st.just('"outputs"'), NAMES | ODD)
    | st.tuples(st.sampled_from(['"x"', '"["', '"é"', '"\\ud800"']), NUMBER | st.just('"["'))
)
PAIR = MEMBER.map(lambda pair: f"{pair[0]}: {pair[1]}")
BODY = st.lists(PAIR, min_size=1, max_size=3).map(lambda pairs: f"{{{', '.join(pairs)}}}".encode())
BYTES = st.sampled_from([*b'[]{},:"\\ \n0e.-n\xef\x00\xff'])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Return a body of the right kind, now and then with some bytes changed."""
    body = bytearray(draw(BODY))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 2))] = draw(st.lists(BYTES, max_size=1))
    return bytes(body)


@pytest.mark.parametrize("signature", [TENSOR, GAPS])
@settings(max_examples=250, deadline=None)
@given(body=bodies())
@example(b'{"instances": [[-0, 9007199254740993, 18446744073709551615]]}')
@example(b'{"instances": [[1e-400, 1.7976931348623158e308, 2.4703282292062328e-324]]}')
def test_as_msgspec_reads_it(signature: Signature, body: bytes) -> None:
    """What is read here has the bits and the outputs that msgspec gives; what it refuses isn't read."""
    asked = read(body, signature)
    try:
        typed = V1(fake_version(signature=signature), MAX_ROWS).decode_typed(body)
    except BadInput:
        assert asked is None
        return
    if asked is not None:
        assert asked.outputs == typed.outputs
        assert asked.rows.model_input().shape == typed.rows.model_input().shape
        assert asked.rows.canonical() == typed.rows.canonical()
