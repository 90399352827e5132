"""Compiling at publish time: equal answers or scikit-learn, and always a reason."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from deploy.compile import choose, convert
from deploy.compile.choose import Compiled, compile_model
from deploy.compile.neighbours import neighbours, split_sides
from deploy.compile.parity import compare
from deploy.describe import describe
from deploy.errors import Refused
from deploy.sample import Sample, write_sample
from service.engine import SklearnEngine, load_estimator
from service.manifest import Compilation
from service.onnx_engine import OnnxEngine
from service.rows import Rows, TableRows, TensorRows
from service.signature import Signature
from service.version import load_version, read_sample

X, CLASSES = make_classification(400, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
GAPPY = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
PRICES = 1e5 + 3e4 * X[:, 0]
TABLE = pd.DataFrame(X, columns=[f"number {i}" for i in range(5)]).assign(
    city=np.array(["Ulm", "Köln", "Bonn"])[CLASSES]
)
TEXTS = [
    " ".join(np.random.default_rng(i).choice(["free", "Prize", "hello", "ünder", "x", "win"], 6))
    for i in range(300)
]
ENGINES = {
    "digits": "linear",
    "digits-forest": "onnx",
    "spam": "onnx",
    "house-prices": "onnx",
    "movies": "sklearn",
}


@pytest.fixture(autouse=True)
def quick_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time a few calls only: these tests are about answers."""
    monkeypatch.setattr("deploy.compile.timing.SECONDS_FOR_A_SIZE", 0.01)


class Case:
    """A fitted estimator, described, and its sample as rows."""

    def __init__(self, folder: Path, estimator: Any, sample: Sample) -> None:
        self.estimator, self.folder = estimator, folder
        self.signature, sample = describe(estimator, sample)
        write_sample(sample, self.signature, folder / "sample.npz")
        self.rows = read_sample(folder / "sample.npz", self.signature)

    def compile(self, choice: Any = "auto") -> Compiled:
        """Compile it."""
        scratch = self.folder / "scratch"
        scratch.mkdir()
        return compile_model(self.estimator, self.signature, self.rows, scratch, choice)

    def engine(self, compiled: Compiled) -> OnnxEngine:
        """Return the engine as a replica would make it."""
        return OnnxEngine(self.folder / "scratch", compiled.compilation, self.signature)


MakeCase = Callable[[Any, Sample], Case]


@pytest.fixture
def case(tmp_path: Path) -> MakeCase:
    """Return what makes a case."""
    return lambda estimator, sample: Case(tmp_path, estimator, sample)


def forest(**how: Any) -> Any:
    """Return a fitted forest on the numbers."""
    return RandomForestClassifier(10, random_state=0, **how).fit(X, CLASSES)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (DecisionTreeClassifier(random_state=0), CLASSES),
        (RandomForestClassifier(15, max_depth=4, random_state=0), CLASSES == 1),
        (ExtraTreesClassifier(15, random_state=0), np.array(["a", "b", "c"])[CLASSES]),
        (GradientBoostingClassifier(n_estimators=10, random_state=0), CLASSES),
        (make_pipeline(MinMaxScaler(), GradientBoostingClassifier(n_estimators=10)), CLASSES == 1),
        (HistGradientBoostingClassifier(max_iter=10), CLASSES),
        (HistGradientBoostingClassifier(max_iter=10), CLASSES == 1),
        (DecisionTreeRegressor(random_state=0), PRICES),
        (RandomForestRegressor(15, random_state=0), PRICES),
        (GradientBoostingRegressor(n_estimators=20, random_state=0), PRICES),
        (HistGradientBoostingRegressor(max_iter=20), PRICES),
        (make_pipeline(StandardScaler(), RandomForestClassifier(15, random_state=0)), CLASSES),
    ],
    ids=lambda value: type(value).__name__,
)
def test_trees_answer_alike_beside_every_threshold(
    estimator: Any, target: NDArray[Any], case: MakeCase
) -> None:
    """A row takes the same branch in both engines, to the last bit beside a threshold."""
    subject = case(estimator.fit(X, target), X)
    compiled = subject.compile()
    assert compiled.engine == "onnx", compiled.compilation.reason
    beside = TensorRows(rows_beside_thresholds(estimator))
    assert_equal_answers(SklearnEngine(estimator), subject.engine(compiled), subject.signature, beside)


def rows_beside_thresholds(estimator: Any) -> NDArray[np.float64]:
    """Return rows with one number on, just above and just below a threshold, in double and float32."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    thresholds = []
    for member in np.ravel(getattr(last, "estimators_", [last])):
        if hasattr(member, "tree_"):
            inner = member.tree_.feature >= 0
            thresholds += zip(member.tree_.feature[inner], member.tree_.threshold[inner], strict=True)
    for member in (each for group in getattr(last, "_predictors", []) for each in group):
        inner = member.nodes[member.nodes["is_leaf"] == 0]
        thresholds += zip(inner["feature_idx"], inner["num_threshold"], strict=True)
    rng = np.random.default_rng(0)
    rows = []
    for feature, threshold in thresholds[:300]:
        single = np.float32(threshold)
        for value in (
            threshold,
            np.nextafter(threshold, np.inf),
            np.nextafter(threshold, -np.inf),
            float(single),
            float(np.nextafter(single, np.float32(np.inf))),
            float(np.nextafter(single, np.float32(-np.inf))),
        ):
            row = X[rng.integers(len(X))].copy()
            row[feature] = value
            rows.append(row)
    values = np.array(rows)
    if last is not estimator:
        values = estimator[:-1].inverse_transform(values)
    return np.ascontiguousarray(values)


def assert_equal_answers(
    reference: Any, compiled: Any, signature: Signature, rows: Rows, tolerance: float = 1e-5
) -> None:
    """Compare every output of two engines."""
    names = [each.name for each in signature.outputs]
    expected, given = reference.run(rows, names), compiled.run(rows, names)
    for output in signature.outputs:
        assert given[output.name].shape == expected[output.name].shape
        if output.dtype == "float64":
            np.testing.assert_allclose(
                given[output.name], expected[output.name], rtol=tolerance, atol=tolerance
            )
        else:
            np.testing.assert_array_equal(given[output.name], expected[output.name])


@pytest.mark.parametrize(
    ("estimator", "sample", "target"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), X, CLASSES),
        (LogisticRegression(), X, CLASSES == 1),
        (Ridge(), X, X[:, :2]),
        (HistGradientBoostingClassifier(max_iter=10), GAPPY, CLASSES),
        (make_pipeline(SimpleImputer(), Ridge()), GAPPY, PRICES),
        (LogisticRegression(), TABLE.drop(columns="city"), CLASSES),
        (
            make_pipeline(
                make_column_transformer(
                    (OneHotEncoder(handle_unknown="ignore"), ["city"]),
                    (StandardScaler(), ["number 3", "number 0"]),
                ),
                GradientBoostingRegressor(n_estimators=10),
            ),
            TABLE,
            PRICES,
        ),
        (make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, CLASSES[:300]),
        (
            make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression()),
            TEXTS,
            CLASSES[:300],
        ),
    ],
    ids=[
        "pipeline",
        "two classes",
        "two targets",
        "missing numbers",
        "imputer",
        "table of numbers",
        "mixed table",
        "text",
        "sublinear text",
    ],
)
def test_kinds_of_models_compile(
    estimator: Any, sample: Any, target: NDArray[Any], case: MakeCase
) -> None:
    """Pipelines, named mixed columns, gaps, texts and regressors are served compiled, all outputs."""
    subject = case(estimator.fit(sample, target), sample)
    compiled = subject.compile("onnx")
    tensors = [name for graph in compiled.compilation.graphs for name in graph.tensors]
    assert sorted(tensors) == sorted(each.name for each in subject.signature.outputs)
    assert_equal_answers(
        SklearnEngine(estimator), subject.engine(compiled), subject.signature, subject.rows
    )


def test_converter_that_is_off_by_one_threshold_is_found_out(
    case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One threshold moved by a float32 step: scikit-learn serves, and the reason says why."""
    honest = convert.convert

    def off_by_one(estimator: Any, signature: Signature) -> convert.Converted:
        converted = honest(estimator, signature)
        model = onnx.load_from_string(converted.files["model.onnx"])
        (trees,) = (n for n in model.graph.node if n.op_type.startswith("TreeEnsemble"))
        (values,) = (a for a in trees.attribute if a.name == "nodes_values_as_tensor")
        thresholds = numpy_helper.to_array(values.t).copy()
        thresholds[0] = np.nextafter(np.float32(thresholds[0]), np.float32(np.inf))  # the root's
        thresholds[0] = np.nextafter(np.float32(thresholds[0]), np.float32(np.inf))
        values.t.CopyFrom(numpy_helper.from_array(thresholds, values.t.name))
        files = {**converted.files, "model.onnx": model.SerializeToString()}
        return convert.Converted(files, converted.graphs, converted.lowercase)

    subject = case(DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, CLASSES), X)
    monkeypatch.setattr(convert, "convert", off_by_one)
    compiled = subject.compile()
    assert compiled.engine == "sklearn"
    assert not compiled.files
    assert "isn't equal" in compiled.compilation.reason
    assert "beside splits" in compiled.compilation.reason
    assert compiled.compilation.parity is not None
    assert compiled.compilation.parity.problem


def test_rows_beside_splits_differ_by_one_bit_and_in_their_answer() -> None:
    """Halving finds both sides of a jump, through a scaler, as neighbours among the doubles."""
    estimator = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=2)).fit(X, PRICES)

    def score(rows: Rows) -> NDArray[np.float64]:
        return estimator.predict(rows.model_input()).reshape(-1, 1)

    beside = split_sides(TensorRows(X), score, np.random.default_rng(0))
    pairs = len(beside) // 6
    assert pairs > 20
    low, high = beside.values[:pairs], beside.values[pairs : 2 * pairs]
    assert (score(TensorRows(low)) != score(TensorRows(high))).all()
    moved = low != high
    assert (moved.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(np.nextafter(low[moved], high[moved]), high[moved])


def test_unknown_category_is_refused_by_both(case: MakeCase) -> None:
    """An encoder that refuses unknown categories does so when compiled: bad input, no fault."""
    columns = make_column_transformer(
        (OneHotEncoder(), ["city"]), (StandardScaler(), ["number 0", "number 1"])
    )
    forest_of_columns = make_pipeline(columns, RandomForestClassifier(5, random_state=0))
    subject = case(forest_of_columns.fit(TABLE, CLASSES), TABLE)
    compiled = subject.compile()
    assert compiled.engine == "onnx", compiled.compilation.reason
    assert isinstance(subject.rows, TableRows)
    row = subject.rows.values[0]
    stranger = TableRows(subject.signature, [(*row[:-1], "Rome")])
    with pytest.raises(ValueError, match="Unknown Category"):
        subject.engine(compiled).run(stranger, ("predict",))


class Picky(Ridge):  # type: ignore[misc]  # scikit-learn ships no types
    """A regression that refuses large numbers."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions, or raise."""
        if (rows > 1e5).any():
            raise ValueError("too large")
        return np.asarray(super().predict(rows))


def test_what_scikit_learn_refuses_must_not_be_answered(case: MakeCase) -> None:
    """A graph that answers where the original refuses isn't equal."""
    lenient = case(Ridge().fit(X, PRICES), X)
    engine = lenient.engine(lenient.compile("onnx"))
    picky = SklearnEngine(Picky().fit(X, PRICES))
    parity = compare(picky, engine, lenient.signature, lenient.rows)
    assert "scikit-learn refuses what it answers: ValueError: too large" in parity.problem
    assert not compare(
        SklearnEngine(lenient.estimator), engine, lenient.signature, lenient.rows
    ).problem


class Own(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """An estimator that no converter knows."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return sums."""
        return rows.sum(axis=1)


def test_own_estimator_stays_with_scikit_learn(case: MakeCase) -> None:
    """What can't be converted is published all the same, and the reason names it."""
    compiled = case(Own(), X).compile()
    assert (compiled.engine, compiled.files) == ("sklearn", {})
    assert compiled.compilation.reason == "skl2onnx can't convert Own"


def test_missing_strings_stay_with_scikit_learn(case: MakeCase) -> None:
    """ONNX has no missing string, so a column with gaps is scikit-learn's."""
    gappy = TABLE.assign(city=TABLE["city"].where(np.arange(len(TABLE)) % 7 > 0))
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city"]))
    compiled = case(make_pipeline(columns, Ridge()).fit(gappy, PRICES), gappy).compile()
    assert compiled.engine == "sklearn"
    assert "city may be missing" in compiled.compilation.reason


def test_slower_graph_is_not_chosen(case: MakeCase, monkeypatch: pytest.MonkeyPatch) -> None:
    """An equal graph that takes longer isn't served, unless it was asked for."""
    slow = {"onnx": {1: 900.0, 64: 900.0}, "sklearn": {1: 90.0, 64: 1000.0}}
    monkeypatch.setattr(choose, "time_calls", lambda engine, rows, output: slow[engine.name])
    subject = case(forest(), X)
    compiled = subject.compile()
    assert (compiled.engine, compiled.files) == ("sklearn", {})
    assert "slower on the whole" in compiled.compilation.reason
    (subject.folder / "scratch" / "model.onnx").unlink()
    (subject.folder / "scratch").rmdir()
    assert subject.compile("onnx").engine == "onnx"


def test_onnx_is_refused_with_the_reason(case: MakeCase) -> None:
    """Who insists on ONNX for a model that has no such form is told why."""
    with pytest.raises(Refused, match="can't convert Own"):
        case(Own(), X).compile("onnx")


def test_sklearn_may_be_asked_for(case: MakeCase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for scikit-learn gets it without anything being converted."""
    monkeypatch.setattr(convert, "convert", None)
    compiled = case(forest(), X).compile("sklearn")
    assert (compiled.engine, compiled.compilation) == ("sklearn", Compilation(reason="asked for"))


def test_converters_are_silent(case: MakeCase, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing that a converter or ONNX Runtime mutters reaches the user."""
    pipeline = make_pipeline(TfidfVectorizer(analyzer="char"), LogisticRegression())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        case(pipeline.fit(TEXTS, CLASSES[:300]), TEXTS).compile()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ENGINES)
def test_samples_answer_as_scikit_learn_does(name: str, sample_registry: Path) -> None:
    """Every sample's chosen engine answers 200 rows as scikit-learn does; all but one are compiled."""
    folder = sample_registry / name / "1"
    version = load_version(folder)
    manifest = version.manifest
    assert manifest.engine == ENGINES[name]
    assert manifest.compilation.reason
    rows = read_sample(folder / "sample.npz", manifest.signature)
    rows = rows.take(range(min(len(rows), 250)))
    assert len(rows) >= 200
    reference = SklearnEngine(load_estimator(folder / manifest.artifact, manifest.trusted))
    assert_equal_answers(reference, version.engine, manifest.signature, rows)


def test_manifest_holds_what_was_measured(sample_registry: Path) -> None:
    """The manifest has the graphs among its verified files, the comparison and the timings."""
    manifest = load_version(sample_registry / "digits-forest" / "1").manifest
    compilation = manifest.compilation
    assert {graph.file for graph in compilation.graphs} <= set(manifest.files)
    assert compilation.parity is not None
    assert compilation.parity.rows > 2000
    assert compilation.parity.largest_difference <= compilation.parity.tolerance
    assert {*compilation.timings_us} == {"sklearn", "onnx"}
    assert {*compilation.timings_us["onnx"]} == {1, 8, 64, 256}
    assert compilation.factor is not None
    assert compilation.factor > 10


def test_table_rows_survive_neighbours() -> None:
    """A table's strings and gaps stay as they are where only its numbers are moved."""
    signature, sample = describe(
        make_pipeline(
            make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city"])), Ridge()
        ).fit(TABLE[["city"]].assign(n=X[:, 0]), PRICES),
        TABLE[["city"]].assign(n=X[:, 0]),
    )
    assert isinstance(sample, pd.DataFrame)
    rows = TableRows(signature, list(zip(sample["city"], sample["n"], strict=True)))
    groups = dict(neighbours(rows, signature, None))
    moved = groups["numbers moved"]
    assert isinstance(moved, TableRows)
    assert [row[0] for row in moved.values] == [row[0] for row in rows.values]
    assert {row[0] for row in groups["odd values in city"].values} > {"", "unknown"}
