"""The compiled engine in a replica: what it needs, and what it doesn't."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from service.manifest import MANIFEST, BrokenVersion
from service.version import load_version, read_sample
from tests.published import published
from tests.service.imported import imported_by


def test_compiled_models_need_no_scikit_learn(sample_registry: Path) -> None:
    """A replica of compiled models imports neither scikit-learn nor pandas, whatever it is asked."""
    names = ("digits", "digits-forest", "spam", "house-prices")
    assert imported_by(*(sample_registry / name / "1" for name in names)) == []


def test_other_models_bring_scikit_learn(sample_registry: Path) -> None:
    """The check above would notice: a model that stays with scikit-learn imports it."""
    assert "sklearn" in imported_by(sample_registry / "movies" / "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a version with three outputs, compiled to ONNX."""
    values = np.random.default_rng(0).standard_normal((60, 4))
    model = LogisticRegression().fit(values, np.arange(60) % 3)
    published(tmp_path / "registry", "three", model, values, engine="onnx")
    return tmp_path / "registry" / "three" / "1"


def test_changed_graph_is_refused(folder: Path) -> None:
    """The compiled model is one of the version's verified files."""
    load_version(folder)
    graph = folder / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")
    with pytest.raises(BrokenVersion, match=r"model\.onnx"):
        load_version(folder)
    assert (folder / MANIFEST).exists()


def test_one_call_for_outputs_of_one_graph(folder: Path) -> None:
    """Labels and probabilities come from one run, in the order asked for; the scores from another."""
    version = load_version(folder)
    rows = read_sample(folder / "sample.npz", version.signature, 5)
    engine = version.engine
    asked = ("decision_function", "predict_proba", "predict")
    answers = engine.run(rows, asked)
    assert {name: values.shape for name, values in answers.items()} == {
        "predict": (5,),
        "predict_proba": (5, 3),
        "decision_function": (5, 3),
    }
    assert len(engine._plan(asked)) == 2
    assert len(engine._plan(("predict_proba", "predict"))) == 1


def test_a_row_answers_the_same_in_any_batch(sample_registry: Path) -> None:
    """What a row is answered doesn't depend on who else asked at that time."""
    for name in ("digits", "digits-forest", "spam", "house-prices"):
        folder = sample_registry / name / "1"
        version = load_version(folder)
        rows = read_sample(folder / "sample.npz", version.signature, 40)
        together = version.engine.run(rows, ("predict",))["predict"].tolist()
        alone = [
            version.engine.run(rows.take([i]), ("predict",))["predict"].tolist()[0]
            for i in range(len(rows))
        ]
        assert alone == together
