"""The cost of an engine, by which the batcher decides where a call runs."""

from math import inf

import msgspec
import pytest

from service.cost import Cost, expected_cost
from service.manifest import Compilation
from service.rows import TextRows
from tests.fakes import fake_version, pairs

TIMINGS = {
    "linear": {1: 3.0, 256: 28.5},
    "onnx": {1: 10.0, 8: 17.0, 256: 265.0},
    "sklearn": {1: 200.0, 256: 300.0},
}


def cost(engine: str) -> Cost:
    """Return what a version with `TIMINGS` costs."""
    manifest = fake_version().manifest
    timed = msgspec.structs.replace(
        manifest, engine=engine, compilation=Compilation(timings_us=TIMINGS)
    )
    return expected_cost(timed, pairs((0, 0)))


def test_cost_grows_with_the_rows() -> None:
    """A call costs what it was measured with one row, and more for each further one."""
    assert cost("onnx").of([pairs((0, 0))]) == pytest.approx(10e-6)
    assert cost("onnx").of([pairs((0, 0), (1, 1)), pairs((2, 2))]) == pytest.approx(12e-6)
    assert cost("linear").of([pairs((0, 0), (1, 1)), pairs((2, 2))]) == pytest.approx(3.2e-6)


def test_scikit_learn_is_never_cheap() -> None:
    """A user's own estimator may take any time on a row that it wasn't timed with."""
    assert cost("sklearn").of([pairs((0, 0))]) == inf


def test_long_text_counts_as_many_rows() -> None:
    """A text costs what its length makes of it, so that a novel doesn't hold up the loop."""
    cost = Cost(fixed=0.0, each=1.0, characters=10.0)
    assert cost.of([TextRows(["short"])]) == 1.0
    assert cost.of([TextRows(["x" * 1000, "short"])]) == pytest.approx(100.5)
