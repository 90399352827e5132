"""The folded engine: exact links, no state, and no library but numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, softmax

from service.linear_engine import LinearEngine
from service.manifest import BrokenVersion
from service.rows import TableRows, TensorRows
from service.signature import DType, Signature, Tensor
from service.version import load_version
from tests.published import damage, published
from tests.service.imported import imported_by

EXTREMES = np.array([[0.0, -0.0, 1e-300], [800.0, -800.0, 0.0], [1e30, -1e30, 1.0], [-1e30] * 3])
NAMES = np.array(["ant", "bee", "Zürich"])


def engine(folder: Path, outputs: tuple[Tensor, ...], **arrays: Any) -> LinearEngine:
    """Return an engine for rows of three numbers."""
    np.savez(folder / "m.npz", **arrays)
    signature = Signature("tensor", (Tensor("x", "float64", (-1, 3)),), outputs)
    return LinearEngine(folder / "m.npz", signature)


def classifier(folder: Path, classes: NDArray[Any], dtype: DType, proba: str) -> LinearEngine:
    """Return a classifier whose scores are the numbers of a row, or the first one for two classes."""
    two = len(classes) == 2
    scores = Tensor("decision_function", "float64", (-1,) if two else (-1, 3))
    outputs = (
        Tensor("predict", dtype),
        Tensor("predict_proba", "float64", (-1, len(classes))),
        scores,
    )
    weights, intercept = (np.eye(3)[0], np.array(0.0)) if two else (np.eye(3), np.zeros(3))
    arrays = {"weights": weights, "intercept": intercept, "classes": classes}
    return engine(folder, outputs, proba=np.array(proba), **arrays)


def answer(engine: LinearEngine, values: NDArray[np.float64], *outputs: str) -> list[NDArray[Any]]:
    """Return outputs, in the order asked for."""
    answers = engine.run(TensorRows(values), outputs)
    assert tuple(answers) == outputs
    return [answers[name] for name in outputs]


def test_many_classes(tmp_path: Path) -> None:
    """The largest score gives the label, their softmax the probabilities, without overflow."""
    many = classifier(tmp_path, NAMES, "string", "softmax")
    labels, chances, scores = answer(many, EXTREMES, "predict", "predict_proba", "decision_function")
    assert labels.tolist() == ["Zürich", "ant", "ant", "ant"]
    np.testing.assert_array_equal(scores, EXTREMES)
    np.testing.assert_allclose(chances, softmax(EXTREMES, axis=1), rtol=1e-15)


def test_two_classes(tmp_path: Path) -> None:
    """The second class is the label only above zero; its probability is exact far below it."""
    two = classifier(tmp_path, np.array([False, True]), "bool", "two")
    values = np.zeros((8, 3))
    values[:, 0] = [0.0, -0.0, 1e-300, -1e-300, 30.0, -30.0, 1e30, -1e30]
    scores, chances, labels = answer(two, values, "decision_function", "predict_proba", "predict")
    assert labels.dtype == np.bool_
    assert labels.tolist() == [False, False, True, False, True, False, True, False]
    np.testing.assert_array_equal(scores, values[:, 0])
    np.testing.assert_allclose(chances[:, 1], expit(values[:, 0]), rtol=1e-15)
    np.testing.assert_array_equal(chances[:, 0], 1 - chances[:, 1])


def test_one_against_rest(tmp_path: Path) -> None:
    """Each class's chance is its share of all; where all are zero they are equal."""
    many = classifier(tmp_path, np.array([3, 5, 8]), "int64", "one against rest")
    labels, chances = answer(many, EXTREMES, "predict", "predict_proba")
    own = expit(EXTREMES[:3])
    np.testing.assert_allclose(chances[:3], own / own.sum(axis=1, keepdims=True), rtol=1e-15)
    np.testing.assert_array_equal(chances[3], np.full(3, 1 / 3))
    assert labels.dtype == np.int64


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 2)])
def test_regression(shape: tuple[int, ...], tmp_path: Path) -> None:
    """One number a row, a column of one, or several: in the shape that the signature has."""
    weights = np.arange(3.0) if len(shape) == 1 else np.arange(3.0 * shape[1]).reshape(3, shape[1])
    intercept = np.array(7.0) if len(shape) == 1 else np.full(shape[1], 7.0)
    regression = engine(
        tmp_path, (Tensor("predict", "float64", shape),), weights=weights, intercept=intercept
    )
    (given,) = answer(regression, EXTREMES, "predict")
    assert given.shape == (4, *shape[1:])
    np.testing.assert_array_equal(given, EXTREMES @ weights + 7.0)


def test_table_of_numbers(tmp_path: Path) -> None:
    """The columns of a table are the numbers of a row, whole ones too."""
    inputs = (Tensor("size", "float64"), Tensor("rooms", "float64"))
    signature = Signature("table", inputs, (Tensor("predict", "float64"),))
    np.savez(tmp_path / "m.npz", weights=np.array([2.0, 10.0]), intercept=np.array(1.0))
    rows = TableRows(signature, [(1.5, 2), (0, 1.0)])
    table = LinearEngine(tmp_path / "m.npz", signature)
    assert table.run(rows, ("predict",))["predict"].tolist() == [24.0, 11.0]


@pytest.mark.parametrize("number", [1e308, -1e155, np.inf, -np.inf, np.nan])
def test_what_might_overflow_is_refused(number: float, tmp_path: Path) -> None:
    """Such numbers are bad input, in any batch and of any weight; others are answered after it."""
    many = classifier(tmp_path, NAMES, "string", "softmax")
    many._weights[1] = 0.0
    row = np.array([[1.0, number, 2.0]])
    for values in (row, np.vstack([EXTREMES, row])):
        with pytest.raises(ValueError, match="too large"):
            answer(many, values, "predict")
    assert answer(many, EXTREMES[:1], "predict")[0].tolist() == ["Zürich"]


def test_a_row_answers_the_same_in_any_batch(sample_registry: Path) -> None:
    """What a row is answered depends neither on its batch nor on what was asked before."""
    version = load_version(sample_registry / "digits" / "1")
    assert version.engine.name == "linear"
    values = np.random.default_rng(0).integers(0, 17, (256, 64)).astype(np.float64)
    before = values.copy()
    names = ("predict", "predict_proba", "decision_function")
    together = version.engine.run(TensorRows(values), names)
    for size in (1, 3, 64):
        for name in names:
            parts = [
                version.engine.run(TensorRows(values[i : i + size]), (name,))[name]
                for i in range(0, len(values), size)
            ]
            if name == "predict":
                assert np.concatenate(parts).tolist() == together[name].tolist()
            else:
                np.testing.assert_allclose(np.concatenate(parts), together[name], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(values, before)


def test_folded_models_need_numpy_alone(sample_registry: Path) -> None:
    """A replica of folded models imports neither scikit-learn nor pandas nor ONNX Runtime."""
    packages = "sklearn pandas scipy skops joblib onnx skl2onnx onnxruntime numpy"
    assert imported_by(sample_registry / "digits" / "1", packages=packages) == ["numpy"]
    assert "onnxruntime" in imported_by(sample_registry / "spam" / "1", packages=packages)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    """The folded model is one of the version's verified files."""
    registry = tmp_path / "registry"
    published(registry, "line", engine="linear")
    damage(registry / "line" / "1" / "linear.npz")
    with pytest.raises(BrokenVersion, match=r"^linear\.npz: its SHA-256"):
        load_version(registry / "line" / "1")


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    """Weights that don't fit the signature are found when they are opened, not by a client."""
    predict = (Tensor("predict", "float64"),)
    with pytest.raises(ValueError, match="weights for 2 columns, not 3"):
        engine(tmp_path, predict, weights=np.ones(2), intercept=np.array(0.0))
    with pytest.raises(ValueError, match="allow_pickle"):
        engine(tmp_path, predict, weights=np.array([1, "a"], dtype=object), intercept=np.zeros(1))
