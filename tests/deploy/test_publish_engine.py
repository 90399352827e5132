"""`flotilla publish --engine` and what `flotilla models` shows of the engine."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skops.io import dump

from deploy.cli import main

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 4))
CLASSES = (X[:, 0] > 0).astype(int)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two models and a sample, and make it the stack's home."""
    monkeypatch.setenv("FLOTILLA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("deploy.compile.timing.SECONDS_FOR_A_SIZE", 0.01)
    dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, CLASSES), tmp_path / "m.skops")
    own = make_pipeline(FunctionTransformer(np.sinh), LogisticRegression())
    dump(own.fit(X, CLASSES), tmp_path / "own.skops")
    np.savez(tmp_path / "sample.npz", x=X)
    return tmp_path


def publish(home: Path, file: str, *options: str) -> Result:
    """Publish a file."""
    words = ["publish", str(home / file), "--name", "m", "--sample", str(home / "sample.npz"), *options]
    return CliRunner().invoke(main, words)


def listed() -> dict[str, object]:
    """Return what `flotilla models --json` says of the only version."""
    (entry,) = json.loads(CliRunner().invoke(main, ["models", "--json"]).stdout)
    return entry


@pytest.mark.parametrize("engine", ["auto", "linear", "onnx", "sklearn"])
def test_engine_can_be_chosen(engine: str, home: Path) -> None:
    """The choice is kept in the manifest and shown with factor and reason."""
    done = publish(home, "m.skops", "--engine", engine)
    assert done.exit_code == 0, done.output
    entry = listed()
    assert entry["engine"] == ("linear" if engine == "auto" else engine)
    compilation = entry["compilation"]
    if engine == "sklearn":
        assert compilation["reason"] == "asked for"
    else:
        assert compilation["factor"] > 1
        assert "equal on" in compilation["reason"]
        timed = {"linear", "onnx", "sklearn"} if engine == "auto" else {engine, "sklearn"}
        assert set(compilation["timings_us"]) == timed
        assert f"{entry['engine']}, " in CliRunner().invoke(main, ["models"]).output


def test_progress_is_shown(home: Path) -> None:
    """Publishing says what takes a while, and the reason for its choice at the end."""
    output = publish(home, "m.skops").output
    for words in ("converting", "comparing", "timing", "Its engine is linear: equal on"):
        assert words in output


def test_model_that_cannot_be_compiled_is_published(home: Path) -> None:
    """A step without an ONNX form: scikit-learn serves, and the reason is shown."""
    done = publish(home, "own.skops")
    assert done.exit_code == 0, done.output
    assert "Its engine is sklearn: " in done.output
    assert listed()["engine"] == "sklearn"


@pytest.mark.parametrize(
    ("engine", "refusal"),
    [
        ("onnx", "can't be served by ONNX: RuntimeError: FunctionTransformer"),
        ("linear", "can't be served as one product: FunctionTransformer"),
    ],
)
def test_engine_that_cannot_be_had_is_refused(engine: str, refusal: str, home: Path) -> None:
    """Such a model isn't published for the engine that was asked for, and the exit code tells."""
    done = publish(home, "own.skops", "--engine", engine)
    assert done.exit_code == 1
    assert refusal in " ".join(done.output.split())
    assert not list((home / "home" / "registry").glob("m/[0-9]*"))
