"""Rows of V2's inputs: who may look into the body itself, and what the core does with such rows."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.base import BaseEstimator

from service.engine import SklearnEngine
from service.protocols import V2
from service.signature import Signature, Tensor
from service.version import LoadedVersion, load_version
from tests.fakes import fake_version
from tests.service.protocols.frames import framed, raw, sent

WIDTH = 64
WIDE = Signature("tensor", (Tensor("x", "float64", (-1, WIDTH)),), (Tensor("predict", "float64"),))
VALUES = np.arange(3.0 * WIDTH).reshape(3, WIDTH)
# JSON of this many bytes beyond a multiple of eight puts the numbers off their natural places.
OFFSETS = range(8)


def request(values: Any, offset: int, datatype: str = "FP64") -> tuple[bytes, int]:
    """Return a request whose numbers begin `offset` bytes after a multiple of eight."""
    given = sent(raw(values, datatype), list(np.shape(values)), datatype)
    _, size = framed(given)
    body, size = framed(given, pad=(offset - size) % 8)
    assert size % 8 == offset
    return body, size


def shares(values: Any, body: bytes) -> bool:
    """Say whether an array is a part of the body."""
    return np.shares_memory(values, np.frombuffer(body, np.uint8))


class Overwriting(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Scales its input in place, as a user's own step may."""

    def predict(self, rows: Any) -> Any:
        """Return sums of doubled rows."""
        rows *= 2
        return rows.sum(axis=1)


def test_compiled_model_reads_the_body() -> None:
    """FP64 for a compiled model isn't copied, unless it stands where doubles mustn't."""
    for offset in OFFSETS:
        body, size = request(VALUES, offset)
        values = V2(fake_version(signature=WIDE), 8).decode(body, size).rows.model_input()
        np.testing.assert_array_equal(values, VALUES)
        assert values.flags.aligned
        assert shares(values, body) is (offset == 0)


def test_scikit_learn_may_write() -> None:
    """A model that writes into its rows gets rows of its own, as from JSON, and spoils no body."""
    manifest = msgspec.structs.replace(fake_version(signature=WIDE).manifest, engine="sklearn")
    version = LoadedVersion(manifest, SklearnEngine(Overwriting()))
    body, size = request(VALUES, 0)
    before = bytes(bytearray(body))
    for _ in range(2):
        rows = V2(version, 8).decode(body, size).rows
        answer = version.engine.run(rows, ("predict",))["predict"]
        np.testing.assert_array_equal(answer, VALUES.sum(axis=1) * 2)
    assert body == before


@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT16"])
def test_batches(datatype: str) -> None:
    """Rows that look into bodies are picked and joined like others, with the same bytes for keys."""
    codec = V2(fake_version(signature=WIDE), 8)
    views = [codec.decode(*request(VALUES + i, 0, datatype)).rows for i in range(2)]
    joined = views[0].join([views[1]])
    np.testing.assert_array_equal(joined.model_input(), np.concatenate([VALUES, VALUES + 1]))
    assert joined.take([4, 0]).canonical() == [(VALUES[1] + 1).tobytes(), VALUES[0].tobytes()]


@pytest.fixture
def digits(sample_registry: Path) -> LoadedVersion:
    """Return a compiled model of 64 numbers."""
    version = load_version(sample_registry / "digits" / "1")
    assert version.manifest.engine != "sklearn"
    return version


def test_compiled_model_answers_the_same(digits: LoadedVersion) -> None:
    """ONNX Runtime takes rows from any place in a body and answers as it does to JSON."""
    codec = V2(digits, 8)
    values = (VALUES % 17).tolist()
    told = {"name": "x", "shape": [3, WIDTH], "datatype": "FP64", "data": values}
    by_json, _ = framed(told)
    outputs = tuple(each.name for each in digits.signature.outputs)
    expected = digits.engine.run(codec.decode(by_json).rows, outputs)
    for offset in OFFSETS:
        answer = digits.engine.run(codec.decode(*request(values, offset)).rows, outputs)
        for name in outputs:
            np.testing.assert_array_equal(answer[name], expected[name])
