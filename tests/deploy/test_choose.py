"""The choice among engines: the fastest equal one, or the one that was asked for, and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deploy.compile import choose, convert, fold
from deploy.compile.choose import Compiled, compile_model
from deploy.describe import describe
from deploy.errors import Refused
from service.engine import Engine
from service.manifest import read_manifest
from service.rows import Rows, TensorRows
from service.signature import Signature

X = np.random.default_rng(0).standard_normal((200, 4))
CLASSES = (X @ [1.0, -1.0, 0.5, 0.0] > 0).astype(int)
LINEAR = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, CLASSES)
FOREST = RandomForestClassifier(5, random_state=0).fit(X, CLASSES)
Compile = Callable[..., Compiled]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Return what compiles an estimator, by default the linear one."""

    def run(choice: Any = "auto", estimator: Any = LINEAR, **more: Any) -> Compiled:
        signature, _ = describe(estimator, X)
        return compile_model(estimator, signature, TensorRows(X), tmp_path, choice, **more)

    return run


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what sets the microseconds that each engine takes for one row and for 64."""

    def set_times(**times: tuple[float, float]) -> None:
        def time_calls(engine: Engine, rows: Rows, output: str) -> dict[int, float]:
            one, many = times[engine.name]
            return {1: one, 64: many}

        monkeypatch.setattr(choose, "time_calls", time_calls)

    return set_times


@pytest.mark.parametrize(
    ("linear", "onnx", "sklearn", "chosen", "files"),
    [
        ((2.0, 9.0), (8.0, 16.0), (200.0, 300.0), "linear", {"linear.npz"}),
        ((2.0, 90.0), (8.0, 16.0), (200.0, 300.0), "onnx", {"model.onnx", "decision_function.onnx"}),
        ((2.0, 16.0), (1.0, 40.0), (200.0, 300.0), "linear", {"linear.npz"}),
        ((20.0, 90.0), (80.0, 160.0), (10.0, 90.0), "sklearn", set()),
    ],
)
def test_fastest_in_the_geometric_mean_serves(
    linear: Any, onnx: Any, sklearn: Any, chosen: str, files: set[str], compiled: Compile, timed: Any
) -> None:
    """All are timed and listed; the files of no other engine are kept."""
    timed(linear=linear, onnx=onnx, sklearn=sklearn)
    given = compiled()
    assert (given.engine, set(given.files)) == (chosen, files)
    compilation = given.compilation
    assert set(compilation.timings_us) == {"linear", "onnx", "sklearn"}
    assert (compilation.folded, bool(compilation.graphs)) == (
        "linear.npz" if chosen == "linear" else "",
        chosen == "onnx",
    )
    assert ("slower on the whole" in compilation.reason) == (chosen == "sklearn")


def test_reason_and_factor(compiled: Compile, timed: Any) -> None:
    """The reason compares with scikit-learn and gives what each engine took."""
    timed(linear=(2.0, 9.0), onnx=(8.0, 16.0), sklearn=(205.0, 1300.04))
    compilation = compiled().compilation
    assert compilation.factor == 102.5
    assert compilation.parity is not None
    assert compilation.reason == (
        f"equal on {compilation.parity.rows:,} rows; 102 times as fast as scikit-learn with one row, "
        "144 times with 64 (µs: linear 2.0 and 9.0, onnx 8.0 and 16.0, sklearn 205.0 and 1,300.0)"
    )


@pytest.mark.parametrize("choice", ["linear", "onnx"])
def test_engine_asked_for_serves_even_if_slower(choice: str, compiled: Compile, timed: Any) -> None:
    """Who asks for an engine gets it, and is told that it is slower."""
    timed(linear=(20.0, 90.0), onnx=(20.0, 90.0), sklearn=(10.0, 90.0))
    given = compiled(choice)
    assert given.engine == choice
    assert set(given.compilation.timings_us) == {choice, "sklearn"}
    assert given.compilation.reason.endswith(": slower on the whole, but asked for")


def test_only_what_was_asked_for_is_made(compiled: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    """`linear` converts nothing, `onnx` folds nothing, `sklearn` neither."""
    monkeypatch.setattr(convert, "convert", None)
    assert compiled("linear").engine == "linear"
    assert compiled("sklearn").engine == "sklearn"
    monkeypatch.undo()
    monkeypatch.setattr(fold, "fold", None)
    assert compiled("onnx").engine == "onnx"


def test_model_that_is_not_linear(compiled: Compile) -> None:
    """A forest goes to ONNX without a word on folding; who insists is told why it can't be."""
    said: list[str] = []
    given = compiled(estimator=FOREST, say=said.append)
    assert given.engine == "onnx"
    assert "product" not in given.compilation.reason
    assert not any("linear" in each for each in said)
    with pytest.raises(Refused, match="as one product: RandomForestClassifier isn't a linear model"):
        compiled("linear", FOREST)


def test_folding_that_is_not_equal_is_found_out(
    compiled: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that are off by a little: ONNX serves, and the reason says so; `linear` is refused."""
    honest = fold.fold

    def off(estimator: Any, signature: Signature) -> fold.Arrays:
        arrays = honest(estimator, signature)
        return {**arrays, "weights": arrays["weights"] * 1.0001}

    monkeypatch.setattr(fold, "fold", off)
    given = compiled()
    assert given.engine == "onnx"
    assert "linear" not in given.compilation.timings_us
    assert "not as one product: the compiled model isn't equal: " in given.compilation.reason
    assert given.compilation.parity is not None
    assert not given.compilation.parity.problem
    with pytest.raises(Refused, match="as one product: the compiled model isn't equal"):
        compiled("linear")


def test_estimator_that_fails_while_it_is_timed(
    compiled: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a user's estimator raises, it is published with scikit-learn, with the reason."""

    def fails(*given: Any) -> None:
        raise RuntimeError("alone")

    monkeypatch.setattr(choose, "time_calls", fails)
    given = compiled()
    assert (given.engine, given.files) == ("sklearn", {})
    assert given.compilation.reason == "it can't be compared: RuntimeError: alone"
    with pytest.raises(Refused, match="it can't be compared: RuntimeError: alone"):
        compiled("linear")


def test_digits_have_timings_of_all(sample_registry: Path) -> None:
    """The light sample is linear: all three engines were timed, and the fastest one serves."""
    manifest = read_manifest(sample_registry / "digits" / "1")
    timings = manifest.compilation.timings_us
    assert set(timings) == {"linear", "onnx", "sklearn"}
    assert all(set(by_rows) == {1, 8, 64, 256} for by_rows in timings.values())
    means = {name: np.log(list(by_rows.values())).mean() for name, by_rows in timings.items()}
    assert manifest.engine == min(means, key=means.__getitem__)
    assert manifest.compilation.folded in manifest.files
