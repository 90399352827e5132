"""Baselines: bins that fit the sample, shares that add up, and nothing that tells of a single row."""

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputRegressor

from deploy.baseline import LEAST_CATEGORY_ROWS, MOST_BINS, MOST_FEATURES, baseline
from deploy.bin_edges import bin_edges
from deploy.describe import describe
from service.drift.baseline import BASELINE, PREDICTION, Baseline, Feature, read_features
from service.manifest import BrokenVersion, verify
from service.signature import Signature, Tensor
from tests.published import damage, published

TEN = [float(n) for n in range(10)]


def table(**columns: str) -> Signature:
    """Return a table's signature: name and dtype of each column, with a `?` where it may be missing."""
    inputs = tuple(
        Tensor(name, dtype.rstrip("?"), (-1,), dtype.endswith("?"))  # type: ignore[arg-type]
        for name, dtype in columns.items()
    )
    return Signature("table", inputs, (Tensor("predict", "float64"),))


TEXT = Signature("text", (Tensor("text", "string"),), (Tensor("predict", "string"),), ("ham", "spam"))


def made(signature: Signature, sample: Any, predictions: list[Any] | None = None) -> dict[str, Feature]:
    """Return the features of a baseline by name."""
    found = baseline(signature, sample, predictions or [])
    assert found is not None
    for each in found.features:
        assert len(each.shares) == each.size == len(set(each.bin_names()))
        assert min(each.shares) > 0
        assert sum(each.shares) == pytest.approx(1)
    return {each.name: each for each in found.features}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (TEN * 10, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]),
        ([0.0] * 90 + TEN, [0.5]),  # nothing but the zeros fills a bin
        ([0.0] * 5 + [1.0] * 90 + [2.0] * 5, [0.5, 1.5]),
        ([0.0] * 5 + [1.0] * 95, [0.5]),
        ([7.0, 3.0] * 50, [5]),
        ([61.31, 62.87] * 50, [62]),  # not 62.09: the shortest number between the two
        ([1e300, -1e300] * 50, [0]),
        ([1.7e308, 1.6e308] * 50, [1.65e308]),  # whose sum is infinite
        ([1.0, math.nextafter(1.0, 2.0)] * 50, [1.0]),  # nothing lies between
        ([math.nan] * 100, []),
        ([math.inf, -math.inf, 0.0, 1.0] * 25, [0.5]),
        ([5.0] * 100, [5 - 5e-6, 5 + 5e-6]),
        ([0.0] * 100, [-1e-6, 1e-6]),
    ],
)
def test_edges(values: list[float], expected: list[float]) -> None:
    """Bins hold about as many values each, and end between two values, on a short number."""
    assert bin_edges(np.array(values), MOST_BINS) == pytest.approx(expected, abs=1e-12)


@given(
    st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0]), min_size=2, max_size=300),
    st.integers(2, MOST_BINS),
)
def test_edges_of_anything(values: list[float], most: int) -> None:
    """Edges rise, are no more than there may be, and are values only where nothing lies between two."""
    edges = bin_edges(np.array(values), most)
    assert list(edges) == sorted(set(edges))
    distinct = np.unique(values)
    if len(distinct) > 1:
        assert 1 <= len(edges) < most
        assert distinct[0] <= edges[0] <= edges[-1] < distinct[-1]
        for edge in set(edges) & set(values):
            assert edge * 0.5 + distinct[distinct > edge][0] * 0.5 in (
                edge,
                distinct[distinct > edge][0],
            )


def test_even_shares() -> None:
    """Ten bins of a continuous column have a tenth of the sample each."""
    signature = Signature("tensor", (Tensor("x", "float64", (-1, 1)),), (Tensor("predict", "float64"),))
    features = made(signature, np.random.default_rng(1).normal(size=(1000, 1)))
    assert features["x[0]"].shares == pytest.approx([0.1] * 10, abs=0.001)


@pytest.mark.parametrize(("rows", "bins"), [(39, None), (40, 2), (100, 5), (200, 10), (5000, 10)])
def test_few_rows_make_few_bins(rows: int, bins: int | None) -> None:
    """A bin needs twenty rows of the sample; a sample of fewer than forty makes no baseline."""
    signature = Signature("tensor", (Tensor("x", "float64", (-1, 1)),), (Tensor("predict", "float64"),))
    found = baseline(signature, np.arange(float(rows))[:, None], [])
    assert (found and found.features[0].size) == bins


def test_large_samples_are_thinned() -> None:
    """Of a large sample some ten thousand rows make the baseline, predictions of the same rows."""
    signature = Signature(
        "tensor", (Tensor("x", "float64", (-1, 1)),), (Tensor("predict", "int64"),), (0, 1)
    )
    rows = np.arange(25_000.0)[:, None]
    found = baseline(signature, rows, (rows[:, 0] >= 12_500).astype(int).tolist())
    assert found is not None
    assert found.rows == 8334
    assert found.features[-1].shares == pytest.approx([0.5, 0.5], abs=1e-3)


def test_table() -> None:
    """A table has its columns by name: numbers, categories, truth values, and gaps where there are."""
    frame = pd.DataFrame(
        {
            "city": ["Rome"] * 60 + ["Oslo"] * 30 + ["Bonn"] * 6 + [None] * 4,
            "size": [*np.arange(90.0), *[np.nan] * 10],
            "new": [True, False] * 50,
        }
    )
    features = made(table(city="string?", size="float64?", new="bool"), frame)
    assert features["city"].bin_names() == ["Bonn", "Oslo", "Rome", "(other)", "(missing)"]
    assert features["city"].shares == pytest.approx(
        [6.5 / 102.5, 30.5 / 102.5, 60.5 / 102.5, 0.5 / 102.5, 4.5 / 102.5]
    )
    assert features["size"].bin_names()[-1] == "(missing)"
    assert features["size"].shares[-1] == pytest.approx(10.5 / 103)
    assert features["new"].bin_names() == ["false", "true"]
    assert features["new"].shares == (0.5, 0.5)


def test_rare_categories_are_not_named() -> None:
    """A value that fewer than five rows share stands nowhere in the file; it counts as another."""
    rare = LEAST_CATEGORY_ROWS - 1
    frame = pd.DataFrame(
        {"who": ["often"] * 100 + ["Ms Rare"] * rare + [f"once {n}" for n in range(9)]}
    )
    found = baseline(table(who="string"), frame, [])
    assert found is not None
    assert found.features[0].bin_names() == ["often", "(other)"]
    content = msgspec.json.encode(found)
    assert b"often" in content
    assert b"Rare" not in content
    assert b"once" not in content


def test_free_text_is_measured() -> None:
    """A column in which hardly a value comes twice has no categories, but lengths."""
    frame = pd.DataFrame({"note": [f"note {n} " * (1 + n % 7) for n in range(200)]})
    features = made(table(note="string"), frame)
    assert list(features) == ["note (characters)", "note (words)"]
    assert features["note (words)"].size == 7
    assert b"note 1" not in msgspec.json.encode(list(features.values()))


def test_text() -> None:
    """A text is measured in four ways, and none of its words is kept."""
    texts = [("Secret WORDS 123 " if n % 2 else "plain ") * (1 + n % 5) for n in range(200)]
    features = made(TEXT, texts, ["ham", "spam"] * 100)
    assert list(features) == ["(characters)", "(words)", "(capitals)", "(digits)", PREDICTION]
    assert b"ecret" not in msgspec.json.encode(list(features.values()))


@pytest.mark.parametrize(
    ("classes", "predictions", "names"),
    [
        ((0, 1, 2), [0, 1] * 100, ["0", "1", "2"]),  # one that the sample doesn't show
        (("ham", "spam"), ["ham"] * 200, ["ham", "spam"]),
        # 200 rows are enough for ten bins.
        (tuple(range(30)), [n % 9 for n in range(200)], [*"012345678", "(other)"]),
        ((), ["a", "b"] * 100, ["a", "b", "(other)"]),
        ((), [1, 2, 3, 4] * 50, ["1: up to 1.5", "2: 1.5 to 2.5", "3: 2.5 to 3.5", "4: above 3.5"]),
    ],
)
def test_predictions(classes: tuple[Any, ...], predictions: list[Any], names: list[str]) -> None:
    """Classes have a bin each, as far as the sample is large enough for them; numbers have ranges."""
    signature = Signature(
        "tensor", (Tensor("x", "float64", (-1, 1)),), (Tensor("predict", "float64"),), classes
    )
    features = made(signature, np.zeros((200, 1)), predictions)
    assert features[PREDICTION].bin_names() == names


def test_a_column_of_the_predictions_name() -> None:
    """Two features never have one name: series would clash."""
    frame = pd.DataFrame({PREDICTION: np.arange(100.0), "b": np.arange(100.0)})
    features = baseline(table(**{PREDICTION: "float64", "b": "float64"}), frame, [1.0] * 100).features
    assert [each.name for each in features] == [PREDICTION, "b"]


def test_wide_rows() -> None:
    """Of very many columns some evenly spaced ones are looked at."""
    width = 2 * MOST_FEATURES
    signature = Signature(
        "tensor", (Tensor("x", "float64", (-1, width)),), (Tensor("predict", "float64"),)
    )
    features = made(signature, np.zeros((50, width)))
    assert len(features) == MOST_FEATURES
    assert list(features)[:2] == ["x[0]", "x[2]"]


ROWS = np.random.default_rng(2).normal(size=(200, 3))


def test_published(tmp_path: Path) -> None:
    """A version has its baseline as a file like any other, and isn't opened once that was changed."""
    labels = np.where(ROWS[:, 0] > 0, "yes", "no")
    manifest = published(tmp_path / "registry", "m", LogisticRegression().fit(ROWS, labels), ROWS)
    folder = tmp_path / "registry" / "m" / "1"
    features = read_features(folder, manifest, 100)
    assert [each.name for each in features] == ["x[0]", "x[1]", "x[2]", PREDICTION]
    assert features[-1].bin_names() == ["no", "yes"]
    assert verify(folder) == manifest
    damage(folder / BASELINE)
    with pytest.raises(BrokenVersion, match=BASELINE):
        verify(folder)


@pytest.mark.parametrize(
    ("estimator", "names"),
    [
        (MultiOutputRegressor(LinearRegression()).fit(ROWS, ROWS[:, :2]), ["x[0]", "x[1]", "x[2]"]),
        (KMeans(3, n_init=1).fit(ROWS), ["x[0]", "x[1]", "x[2]", PREDICTION]),
    ],
    ids=["lists", "clusters"],
)
def test_published_with_whatever_it_predicts(tmp_path: Path, estimator: Any, names: list[str]) -> None:
    """What can't be binned is left out, and published all the same."""
    manifest = published(tmp_path / "registry", "m", estimator, ROWS)
    features = read_features(tmp_path / "registry" / "m" / "1", manifest, 100)
    assert [each.name for each in features] == names


def test_published_with_a_small_sample(tmp_path: Path) -> None:
    """A sample too small for a baseline is published without one."""
    manifest = published(tmp_path / "registry", "line")
    assert BASELINE not in manifest.files
    assert not (tmp_path / "registry" / "line" / "1" / BASELINE).exists()


def test_the_same_file_each_time() -> None:
    """One model and sample make one baseline, byte for byte: the version's digest depends on it."""
    frame = pd.DataFrame({"a": [*"xyz"] * 50, "b": ROWS[:150, 0]})
    contents = {
        msgspec.json.encode(baseline(table(a="string", b="float64"), frame, TEN * 15)) for _ in "ab"
    }
    assert len(contents) == 1


def test_described_models() -> None:
    """What `describe` says of a model with gaps in its table fits the baseline."""
    frame = pd.DataFrame({"a": [*[1.0, 2.0, np.nan] * 40], "b": [*["u", "v", None] * 40]})

    class Constant:
        def predict(self, rows: Any) -> Any:
            return np.ones(len(rows))

    signature, sample = describe(Constant(), frame)
    features = made(signature, sample, [1.0] * 120)
    assert features["a"].shares[-1] == pytest.approx(1 / 3, abs=0.01)
    assert features["b"].bin_names() == ["u", "v", "(other)", "(missing)"]
    assert isinstance(baseline(signature, sample, []), Baseline)
