"""The cost of an engine, by which the batcher decides where a call runs."""

import msgspec
import pytest

from service.cost import INLINE_SECONDS, CallCost, Cost, expected_cost
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


def test_rows_that_the_loop_may_stand_still_for() -> None:
    """A call costs what it was measured with one row, and more for each further one."""
    assert (cost("onnx").fixed, cost("onnx").each) == (pytest.approx(9e-6), pytest.approx(1e-6))
    assert cost("onnx").inline_rows == pytest.approx((INLINE_SECONDS - 9e-6) / 1e-6)
    assert cost("onnx").rows(pairs((0, 0), (1, 1)), 2) == 2
    assert cost("linear").inline_rows > cost("onnx").inline_rows


def test_scikit_learn_is_never_cheap() -> None:
    """A user's own estimator may take any time on a row that it wasn't timed with."""
    assert cost("sklearn").inline_rows == 0


def test_a_dear_row_is_never_cheap() -> None:
    """Where a single row takes longer than the loop may stand still, none runs there."""
    assert Cost(fixed=0.0, each=2 * INLINE_SECONDS).inline_rows == 0
    assert Cost(fixed=2 * INLINE_SECONDS, each=0.0).inline_rows == 0
    assert Cost(fixed=0.0, each=INLINE_SECONDS).inline_rows == 1


def test_long_text_counts_as_many_rows() -> None:
    """A text costs what its length makes of it, so that a novel doesn't hold up the loop."""
    cost = Cost(fixed=0.0, each=1.0, characters=10.0)
    assert cost.rows(TextRows(["short"]), 1) == 1
    assert cost.rows(TextRows(["x" * 1000, "short"]), 2) == pytest.approx(100.5)


@pytest.mark.parametrize(("fixed", "each"), [(7e-3, 30e-6), (0.0, 1e-3), (5e-3, 0.0)])
def test_what_a_call_costs_is_learned(fixed: float, each: float) -> None:
    """From calls of different sizes it is learned what a call costs without any row."""
    cost = CallCost()
    assert cost.fixed == 0.0
    for n in range(200):
        rows = 1 + n % 16
        cost.learn(fixed + each * rows, rows)
    assert cost.fixed == pytest.approx(fixed, abs=1e-6)


def test_calls_of_one_size() -> None:
    """As long as all calls have been equally large, nothing says that fewer rows would cost less."""
    cost = CallCost()
    for _ in range(10):
        cost.learn(8e-3, 16)
    assert cost.fixed == pytest.approx(8e-3)


def test_old_calls_are_forgotten() -> None:
    """A model that got faster is known as fast soon."""
    cost = CallCost()
    for seconds in [1.0] * 100 + [1e-3] * 600:
        cost.learn(seconds, 4)
    assert cost.fixed == pytest.approx(1e-3, rel=0.02)
