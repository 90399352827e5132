"""Folding: a fitted linear model and its signature come in, the arrays of one numpy product go out.

Scalers before the model are affine in each column, a PCA in the row, so that they disappear in the
model's own weights. Called by `deploy.compile.candidates`; `service.linear_engine` says what the
arrays are. Nothing here promises equal answers: parity is checked afterwards.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model, svm
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from service.engine import dense
from service.signature import Signature

Arrays = dict[str, NDArray[Any]]
Matrix = NDArray[np.float64]

CLASSIFIERS = (
    linear_model.LogisticRegression,
    linear_model.LogisticRegressionCV,
    linear_model.Perceptron,
    linear_model.RidgeClassifier,
    linear_model.RidgeClassifierCV,
    linear_model.SGDClassifier,
    svm.LinearSVC,
)
REGRESSORS = (
    linear_model.BayesianRidge,
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.HuberRegressor,
    linear_model.Lasso,
    linear_model.LassoCV,
    linear_model.LinearRegression,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.SGDRegressor,
    svm.LinearSVR,
)
# An intercept this many times as large as the answers would cost them six of their sixteen digits.
LARGEST_SHIFT = 1e6
# By this much the steps may enlarge a number: those that the engine takes then stay finite everywhere.
LARGEST_REACH = 1e150


class NotFoldable(Exception):  # noqa: N818  # named after what it is
    """A model that isn't one product; the message says why."""


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused at the end
def fold(estimator: Any, signature: Signature) -> Arrays:
    """Return the arrays of the product that gives every output; raise `NotFoldable`."""
    *before, last = _steps(estimator)
    # By exact type: a class of a user's own may predict in a way of its own.
    if type(last) not in (*CLASSIFIERS, *REGRESSORS):
        raise NotFoldable(f"{type(last).__name__} isn't a linear model that can be folded")
    if any(each.dtype != "float64" or each.nullable for each in signature.inputs):
        raise NotFoldable("its rows aren't numbers alone, none of them missing")
    classifies = type(last) in CLASSIFIERS
    arrays = _read_classifier(last, signature) if classifies else {}
    coefficients = dense(last.coef_).astype(np.float64)
    weights = coefficients.reshape(-1, coefficients.shape[-1]).T
    own = np.broadcast_to(np.ravel(last.intercept_), weights.shape[1])
    weights, intercept = _fold_into(weights, own, before)
    if weights.shape[1] == 1 and (classifies or len(signature.output("predict").shape) == 1):
        weights, intercept = weights[:, 0], intercept[0]
    arrays["weights"] = np.ascontiguousarray(weights)
    arrays["intercept"] = np.array(intercept, dtype=np.float64)
    return arrays


def _fold_into(weights: Matrix, own: Matrix, before: list[Any]) -> tuple[Matrix, Matrix]:
    """Return weights and intercept for rows as they are before all these steps."""
    intercept, reach = own, max(1.0, np.abs(weights).max())
    for step in reversed(before):
        factor, offset = _affine(step)
        reach *= max(1.0, np.abs(factor).max())
        intercept = intercept + offset @ weights
        shift = np.abs(offset) @ np.abs(weights)
        if (shift > LARGEST_SHIFT * np.maximum(1.0, np.abs(own))).any():
            raise NotFoldable(f"{type(step).__name__} shifts too far: folded, it would cost digits")
        weights = factor[:, np.newaxis] * weights if factor.ndim == 1 else factor @ weights
    if not (reach < LARGEST_REACH and np.isfinite(intercept).all()):
        raise NotFoldable("its weights or scales are so large that numbers might overflow")
    return weights, intercept


def _steps(estimator: Any) -> list[Any]:
    """Return the steps of a pipeline and of those in it, in their order."""
    if type(estimator) is not Pipeline:
        return [estimator]
    kept = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
    return [inner for step in kept for inner in _steps(step)]


def _affine(step: Any) -> tuple[Matrix, Matrix]:
    """Return `factor` and `offset`: of a row x the step makes x · factor + offset.

    A factor is a number for each column, or a matrix. Scalers have put 1 where a deviation was 0.
    """
    kind, clips = type(step), getattr(step, "clip", False)
    if kind is MinMaxScaler and not clips:
        return step.scale_, step.min_
    if kind is MaxAbsScaler and not clips:
        return 1 / step.scale_, np.zeros(step.n_features_in_)
    if kind is StandardScaler:  # it may know means that it doesn't use
        return _centred(step, step.mean_ if step.with_mean else None)
    if kind is RobustScaler:
        return _centred(step, step.center_)
    if kind is PCA and not step.whiten:
        return step.components_.T, -step.mean_ @ step.components_.T
    if kind is TruncatedSVD:
        return step.components_.T, np.zeros(len(step.components_))
    raise NotFoldable(f"{kind.__name__} {'clips' if clips else 'has no such form'}")


def _centred(scaler: Any, centre: Matrix | None) -> tuple[Matrix, Matrix]:
    n_columns = scaler.n_features_in_
    scale = np.ones(n_columns) if scaler.scale_ is None else scaler.scale_
    return 1 / scale, np.zeros(n_columns) if centre is None else -centre / scale


def _read_classifier(fitted: Any, signature: Signature) -> Arrays:
    """Return the classes in the dtype of the answer, and the link to probabilities."""
    names = [each.name for each in signature.outputs]
    predict = signature.output("predict")
    if len(predict.shape) != 1:
        raise NotFoldable("it gives several labels for a row")
    dtype = "U" if predict.dtype == "string" else predict.dtype
    arrays = {"classes": np.asarray(fitted.classes_).astype(dtype)}
    if "predict_proba" not in names:
        return arrays
    if getattr(fitted, "loss", "log_loss") != "log_loss":
        raise NotFoldable(f"its probabilities for the loss {fitted.loss} aren't logistic")
    many = "one against rest" if hasattr(fitted, "loss") else "softmax"
    return {**arrays, "proba": np.array("two" if len(fitted.classes_) == 2 else many)}
