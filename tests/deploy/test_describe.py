"""Describing: what a model takes and gives is found by asking it, for every kind of estimator."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from deploy.describe import describe
from deploy.errors import Refused
from service.signature import Signature, Tensor

RANDOM = np.random.default_rng(0)
X = RANDOM.random((20, 3))
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
Y = (X[:, 0] > 0.5).astype(int)
NAMES = np.array(["no", "yes"])[Y]
SEVERAL = np.column_stack([Y, np.arange(20) % 3])
GAPS = np.where(X > 0.9, np.nan, X)
TEXTS = ["buy now", "good morning"] * 10
TABLE = pd.DataFrame(
    {
        "city": ["Rome", "Oslo"] * 10,
        "size": range(20),
        "new": [True, False] * 10,
        "note": [None, "quiet"] * 10,
        "age": [np.nan, 1.0] * 10,
    }
)

VECTOR = (Tensor("x", "float64", (-1, 3)),)
PROBABILITIES = Tensor("predict_proba", "float64", (-1, 2))
DECISION = Tensor("decision_function", "float64")
COLUMNS = tuple(Tensor(name, "float64") for name in "abc")


def predict(dtype: str = "int64", *more: int) -> Tensor:
    """Return the output `predict`."""
    return Tensor("predict", dtype, (-1, *more))


def logistic(target: Any = Y, features: Any = X) -> LogisticRegression:
    """Return a fitted classifier."""
    return LogisticRegression().fit(features, target)


def table_model() -> Any:
    """Return a model of a table with numbers, strings, booleans and gaps."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (encoder, ["city", "note", "new"]), ("passthrough", ["size", "age"])
    )
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=2)).fit(TABLE, Y)


CASES: dict[str, tuple[Callable[[], Any], Any, Signature]] = {
    "classifier": (
        logistic,
        X,
        Signature("tensor", VECTOR, (predict(), PROBABILITIES, DECISION), (0, 1)),
    ),
    "classes of strings": (
        lambda: logistic(NAMES),
        X,
        Signature("tensor", VECTOR, (predict("string"), PROBABILITIES, DECISION), ("no", "yes")),
    ),
    "classes of a pandas column": (
        lambda: logistic(pd.Series(NAMES)),
        X,
        Signature("tensor", VECTOR, (predict("string"), PROBABILITIES, DECISION), ("no", "yes")),
    ),
    "classes of objects": (
        lambda: logistic(NAMES.astype(object)),
        X,
        Signature("tensor", VECTOR, (predict("string"), PROBABILITIES, DECISION), ("no", "yes")),
    ),
    "classes of booleans": (
        lambda: logistic(Y == 1),
        X,
        Signature("tensor", VECTOR, (predict("bool"), PROBABILITIES, DECISION), (False, True)),
    ),
    "classes of floats": (
        lambda: logistic(Y * 1.0),
        X,
        Signature("tensor", VECTOR, (predict("float64"), PROBABILITIES, DECISION), (0.0, 1.0)),
    ),
    "regression": (
        lambda: LinearRegression().fit(X, X[:, 0]),
        X,
        Signature("tensor", VECTOR, (predict("float64"),)),
    ),
    "SVC without probabilities": (
        lambda: SVC().fit(X, Y),
        X,
        Signature("tensor", VECTOR, (predict(), DECISION), (0, 1)),
    ),
    "clusters": (
        lambda: KMeans(4, n_init=1, random_state=0).fit(X),
        X,
        Signature("tensor", VECTOR, (predict(), Tensor("transform", "float64", (-1, 4)))),
    ),
    "transform only": (
        lambda: PCA(2).fit(X),
        X,
        Signature("tensor", VECTOR, (Tensor("transform", "float64", (-1, 2)),)),
    ),
    "sparse transform": (
        lambda: OneHotEncoder().fit(X.round()),
        X.round(),
        Signature("tensor", VECTOR, (Tensor("transform", "float64", (-1, 6)),)),
    ),
    "transform to a data frame": (
        lambda: StandardScaler().set_output(transform="pandas").fit(FRAME),
        FRAME,
        Signature("table", COLUMNS, (Tensor("transform", "float64", (-1, 3)),)),
    ),
    "outliers": (
        lambda: IsolationForest(n_estimators=2, random_state=0).fit(X),
        X,
        Signature("tensor", VECTOR, (predict(), DECISION)),
    ),
    "gaps": (
        lambda: HistGradientBoostingClassifier(max_iter=2).fit(GAPS, Y),
        GAPS,
        Signature(
            "tensor",
            (Tensor("x", "float64", (-1, 3), nullable=True),),
            (predict(), PROBABILITIES, DECISION),
            (0, 1),
        ),
    ),
    "several numbers": (
        lambda: MultiOutputRegressor(LinearRegression()).fit(X, X[:, :2]),
        X,
        Signature("tensor", VECTOR, (predict("float64", 2),)),
    ),
    # Probabilities of several targets are a list of arrays: not one array of rows, so not served.
    "several classes": (
        lambda: MultiOutputClassifier(LogisticRegression()).fit(X, SEVERAL),
        X,
        Signature("tensor", VECTOR, (predict("int64", 2),)),
    ),
    "as many targets as rows": (
        lambda: MultiOutputClassifier(LogisticRegression()).fit(X, np.column_stack([Y, 1 - Y])),
        X[:2],
        Signature("tensor", VECTOR, (predict("int64", 2),)),
    ),
    "a forest of several classes": (
        lambda: RandomForestClassifier(2, random_state=0).fit(X, SEVERAL),
        X,
        Signature("tensor", VECTOR, (predict("int64", 2),)),
    ),
    "text": (
        lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, Y),
        TEXTS,
        Signature("text", (Tensor("text", "string"),), (predict(), PROBABILITIES, DECISION), (0, 1)),
    ),
    "table": (
        table_model,
        TABLE,
        Signature(
            "table",
            (
                Tensor("city", "string"),
                Tensor("size", "float64"),
                Tensor("new", "bool"),
                Tensor("note", "string", nullable=True),
                Tensor("age", "float64", nullable=True),
            ),
            (predict(), PROBABILITIES, DECISION),
            (0, 1),
        ),
    ),
    "numbers of a table as a matrix": (
        lambda: logistic(Y, FRAME),
        X,
        Signature("table", COLUMNS, (predict(), PROBABILITIES, DECISION), (0, 1)),
    ),
    "a table of numbers for a model of a matrix": (
        logistic,
        FRAME,
        Signature("tensor", VECTOR, (predict(), PROBABILITIES, DECISION), (0, 1)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_signature(case: str) -> None:
    """Kind, inputs, outputs and classes are those of the estimator, whatever it is."""
    fitted, sample, expected = CASES[case]
    signature, arranged = describe(fitted(), sample)
    assert signature == expected
    assert len(arranged) == len(sample)


def test_columns_are_arranged() -> None:
    """Columns that the model doesn't know are left out, the others come in its order."""
    shuffled = FRAME.assign(target=Y)[["target", "c", "a", "b"]]
    signature, arranged = describe(logistic(Y, FRAME), shuffled)
    assert signature.columns == ("a", "b", "c")
    pd.testing.assert_frame_equal(arranged, FRAME)


class Odd(BaseEstimator):
    """Gives what it was told to give."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def predict(self, rows: Any) -> Any:
        """Return it, or raise it."""
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@pytest.mark.parametrize(
    ("fitted", "sample", "message"),
    [
        (
            logistic,
            X[:, :2],
            "the sample has 2 columns, the model takes 3; is the target among ",
        ),
        (logistic, np.column_stack([X, Y]), "the sample has 4 columns, the model takes 3"),
        (logistic, FRAME.assign(target=Y), "the sample has 4 columns, the model takes 3"),
        (
            lambda: logistic(Y, FRAME),
            np.column_stack([X, Y]),
            "the sample has 4 columns, the model takes 3",
        ),
        (lambda: logistic(Y, FRAME), X[:, :2], "the sample has 2 columns, the model takes 3"),
        (lambda: logistic(Y, FRAME), FRAME[["b"]], "the sample lacks columns of the model: a, c"),
        (logistic, X[0], r"the sample has the shape \(3,\); expected \(rows, features\)"),
        (logistic, X[np.newaxis], r"the sample has the shape \(1, 20, 3\); expected"),
        (logistic, np.array([["a", "b", "c"]]), "the sample holds something that isn't a number"),
        (logistic, GAPS, "predict fails on the sample: ValueError: Input X contains NaN"),
        (logistic, TEXTS, "predict fails on the sample: ValueError"),
        (lambda: Odd(ValueError("no")), X, "predict fails on the sample: ValueError: no"),
        (lambda: Odd(X[:5]), X, "Odd has none of predict, predict_proba, decision_function, transform"),
        (lambda: Odd(np.array(5)), X, "Odd has none of predict"),
        (lambda: Odd(np.array([{}] * 20)), X, "predict gives values of dtype object"),
        (lambda: Odd(np.zeros(20, complex)), X, "predict gives values of dtype complex128"),
        (
            lambda: Odd(np.zeros(20, "datetime64[s]")),
            X,
            r"predict gives values of dtype datetime64\[s\]",
        ),
        (lambda: DBSCAN().fit(X), X, "DBSCAN has none of predict"),
        (
            lambda: Odd(Y),
            pd.DataFrame({"when": pd.to_datetime(["2024-05-01"] * 20)}),
            "column 'when': expected numbers, strings or true and false",
        ),
        (
            lambda: Odd(Y),
            pd.DataFrame({"mixed": ["a", 5] * 10}),
            "column 'mixed': expected numbers, strings",
        ),
    ],
)
def test_refused(fitted: Callable[[], Any], sample: Any, message: str) -> None:
    """A sample that doesn't fit, or a model that gives nothing to serve, is refused with the reason."""
    with pytest.raises(Refused, match=f"^{message}"):
        describe(fitted(), sample)
