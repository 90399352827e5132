"""Folding: a linear model and the scalers before it become one product that answers alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn import linear_model as linear
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC, LinearSVR

from deploy.compile.fold import CLASSIFIERS, REGRESSORS, NotFoldable, fold
from deploy.compile.parity import compare
from deploy.describe import describe
from deploy.sample import Sample, write_sample
from service.engine import SklearnEngine
from service.linear_engine import LinearEngine
from service.version import read_sample

X, NUMBERS = make_classification(
    300, 6, n_informative=5, n_redundant=0, n_classes=3, shift=3.0, scale=4.0, random_state=0
)
X[:, 5] = 2.5  # a constant column has no deviation to divide by
TARGET = X[:, 0] * 3e4 - X[:, 1] + 1e5
WORDS = np.array(["Ulm", "Köln", "Bonn"])[NUMBERS]


def assert_folds(estimator: Any, sample: Sample, folder: Path) -> None:
    """Fold, write, open, and compare with scikit-learn on the sample and beside it."""
    signature, sample = describe(estimator, sample)
    write_sample(sample, signature, folder / "sample.npz")
    rows = read_sample(folder / "sample.npz", signature)
    np.savez(folder / "m.npz", **fold(estimator, signature))
    engine, reference = LinearEngine(folder / "m.npz", signature), SklearnEngine(estimator)
    parity = compare(reference, engine, signature, rows)
    assert not parity.problem
    assert parity.largest_difference < 1e-11
    assert parity.rows > 2 * len(rows)
    for output in signature.outputs:
        given = engine.run(rows, (output.name,))[output.name]
        expected = reference.run(rows, (output.name,))[output.name]
        assert given.shape == expected.shape
        assert [type(each) for each in given.ravel().tolist()] == [
            type(each) for each in expected.ravel().tolist()
        ]


@pytest.mark.parametrize(
    "target",
    [
        NUMBERS,
        NUMBERS == 1,
        WORDS,
        WORDS == "Ulm",
        WORDS.astype(object),
        NUMBERS * 2.0,
        NUMBERS[::-1] - 5,
    ],
    ids=["numbers", "bool", "words", "two words", "objects", "floats", "negative"],
)
@pytest.mark.parametrize("kind", CLASSIFIERS, ids=lambda kind: kind.__name__)
def test_classifiers(kind: Any, target: NDArray[Any], tmp_path: Path) -> None:
    """Every classifier folds with all its outputs, whatever its classes are."""
    how: dict[str, Any] = {"loss": "log_loss"} if kind is linear.SGDClassifier else {}
    if kind is linear.LogisticRegressionCV:
        how = {"Cs": 2, "cv": 2, "l1_ratios": (0,), "scoring": "accuracy"}
        how["use_legacy_attributes"] = False
    model = make_pipeline(StandardScaler(), kind(**how))
    assert_folds(model.fit(X, target), X, tmp_path)


@pytest.mark.parametrize("kind", REGRESSORS, ids=lambda kind: kind.__name__)
def test_regressors(kind: Any, tmp_path: Path) -> None:
    """Every regression folds."""
    how = {"max_iter": 5000} if kind in (linear.HuberRegressor, LinearSVR) else {}
    target = TARGET if kind is not LinearSVR else X[:, 0]
    assert_folds(make_pipeline(StandardScaler(), kind(**how)).fit(X, target), X, tmp_path)


@pytest.mark.parametrize(
    "before",
    [
        [],
        [StandardScaler(with_mean=False)],
        [StandardScaler(with_std=False)],
        [StandardScaler(with_mean=False, with_std=False)],
        [MinMaxScaler((-3, 5))],
        [MaxAbsScaler()],
        [RobustScaler()],
        [RobustScaler(with_centering=False), "passthrough"],
        [RobustScaler(with_scaling=False), StandardScaler(), MinMaxScaler()],
        [make_pipeline(MaxAbsScaler(), make_pipeline(StandardScaler()))],
        [StandardScaler(), PCA(3)],
        [PCA(4), MinMaxScaler()],
        [TruncatedSVD(3), StandardScaler()],
    ],
    ids=lambda before: "-".join(getattr(each, "__class__", each).__name__ for each in before) or "none",
)
@pytest.mark.parametrize(
    ("model", "target"),
    [(linear.LogisticRegression(max_iter=5000), NUMBERS), (linear.Ridge(), TARGET)],
    ids=["classifier", "regressor"],
)
def test_steps_before(before: list[Any], model: Any, target: NDArray[Any], tmp_path: Path) -> None:
    """Scalers of every kind, in any order, in pipelines within pipelines, disappear in the weights."""
    assert_folds(make_pipeline(*before, model).fit(X, target), X, tmp_path)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (linear.LinearRegression(), X[:, :2] * 3),
        (linear.LinearRegression(), X[:, :1] * 3),
        (linear.Ridge(), X[:, :1] * 3),
        (linear.Lasso(), X[:, :3] * 3),
        (linear.LinearRegression(fit_intercept=False), TARGET),
        (linear.Ridge(fit_intercept=False), X[:, :2]),
        (linear.LogisticRegression(fit_intercept=False), NUMBERS),
        (linear.SGDClassifier(random_state=0), NUMBERS),
        (linear.SGDClassifier(loss="squared_hinge", average=True, random_state=0), NUMBERS == 1),
        (LinearSVC(fit_intercept=False), NUMBERS == 1),
    ],
    ids=str,
)
def test_shapes_and_intercepts(estimator: Any, target: NDArray[Any], tmp_path: Path) -> None:
    """Several targets, a column of one, no intercept, no probabilities."""
    assert_folds(make_pipeline(StandardScaler(), estimator).fit(X, target), X, tmp_path)


def test_sparse_weights(tmp_path: Path) -> None:
    """Weights that were made sparse fold like any."""
    model = linear.SGDClassifier(penalty="l1", random_state=0).fit(X, NUMBERS)
    assert_folds(model.sparsify(), X, tmp_path)


def test_single_precision(tmp_path: Path) -> None:
    """What was fitted on float32 answers doubles as scikit-learn does."""
    small = X.astype(np.float32)
    assert_folds(make_pipeline(StandardScaler(), linear.Ridge()).fit(small, TARGET), X, tmp_path)


def test_table_of_numbers(tmp_path: Path) -> None:
    """A table whose columns are all numbers folds, in the order in which the model was fitted."""
    table = pd.DataFrame(X, columns=list("fedcba"))
    model = make_pipeline(StandardScaler(), linear.LogisticRegression()).fit(table, WORDS)
    assert_folds(model, table[list("abcdef")], tmp_path)


class Shifted(linear.Ridge):  # type: ignore[misc]  # scikit-learn ships no types
    """A regression that predicts in a way of its own."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions and one."""
        return np.asarray(super().predict(rows)) + 1


@pytest.mark.parametrize(
    ("estimator", "target", "why"),
    [
        (RandomForestClassifier(3), NUMBERS, "RandomForestClassifier isn't a linear model"),
        (Shifted(), TARGET, "Shifted isn't a linear model"),
        (StandardScaler(), None, "StandardScaler isn't a linear model"),
        (make_pipeline(MinMaxScaler(clip=True), linear.Ridge()), TARGET, "MinMaxScaler clips"),
        (make_pipeline(PCA(2, whiten=True), linear.Ridge()), TARGET, "PCA has no such form"),
        (
            make_pipeline(FunctionTransformer(), linear.Ridge()),
            TARGET,
            "FunctionTransformer has no such form",
        ),
        (linear.SGDClassifier(loss="modified_huber"), NUMBERS, "for the loss modified_huber"),
        (linear.RidgeClassifier(), np.eye(3, dtype=int)[NUMBERS], "several labels for a row"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_has_no_such_form_is_refused(
    estimator: Any, target: NDArray[Any] | None, why: str, tmp_path: Path
) -> None:
    """What isn't one product, or might not be, is left to the other engines, with the reason."""
    signature, _ = describe(estimator.fit(X, target), X)
    with pytest.raises(NotFoldable, match=why):
        fold(estimator, signature)


def test_rows_with_other_than_numbers_are_refused() -> None:
    """Strings, or numbers that may be missing, aren't for a product."""
    model = linear.LinearRegression().fit(X, TARGET)
    signature, _ = describe(model, X)
    gaps, _ = describe(StandardScaler().fit(X), np.where(X > 4, np.nan, X))
    with pytest.raises(NotFoldable, match="numbers alone"):
        fold(model, type(signature)("tensor", gaps.inputs, signature.outputs))


def test_shift_that_costs_digits_is_refused() -> None:
    """A column far from zero for its deviation isn't folded: labels near a tie would flip."""
    for far, folds in ((1e3, True), (1e12, False)):
        moved = X[:, :5] * 1e-2 + far
        model = make_pipeline(StandardScaler(), linear.LogisticRegression()).fit(moved, NUMBERS)
        signature, _ = describe(model, moved)
        if folds:
            assert fold(model, signature)["weights"].shape == (5, 3)
        else:
            with pytest.raises(NotFoldable, match="StandardScaler shifts too far"):
                fold(model, signature)


def test_weights_that_overflow_are_refused() -> None:
    """A step that makes large numbers infinite isn't folded, even if a weight of 0 hides them."""
    model = make_pipeline(StandardScaler(), StandardScaler(with_mean=False), linear.Ridge())
    model.fit(X, TARGET)
    signature, _ = describe(model, X)
    model[-1].coef_[0] = 0.0
    for scale, folds in ((1e-140, True), (1e-160, False), (5e-324, False), (np.nan, False)):
        model[1].scale_[0] = scale
        if folds:
            assert np.isfinite(fold(model, signature)["weights"]).all()
        else:
            with pytest.raises(NotFoldable, match="so large that numbers might overflow"):
                fold(model, signature)
