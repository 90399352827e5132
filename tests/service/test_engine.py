"""Engines: rows go in, one array for each output comes out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder
from skops.io import dump

from service.engine import SklearnEngine, dense, load_engine, load_estimator
from service.manifest import BrokenVersion
from service.rows import TensorRows
from tests.fakes import Obedient, fake_version

VALUES = np.random.default_rng(0).random((12, 3))


def test_each_output_is_the_method_of_its_name() -> None:
    """An output is exactly what the estimator's method of that name gives."""
    model = LogisticRegression().fit(VALUES, VALUES[:, 0] > 0.5)
    names = ("predict", "predict_proba", "decision_function")
    arrays = SklearnEngine(model).run(TensorRows(VALUES), names)
    assert tuple(arrays) == names
    for name in names:
        np.testing.assert_array_equal(arrays[name], getattr(model, name)(VALUES))


def test_only_what_is_asked_is_computed() -> None:
    """A model that can do more is asked for one output only."""
    model = PCA(2).fit(VALUES)
    assert set(SklearnEngine(model).run(TensorRows(VALUES), ("transform",))) == {"transform"}


@pytest.mark.parametrize(
    "given", [csr_matrix(np.eye(2)), pd.DataFrame(np.eye(2)), np.eye(2), [[1.0, 0.0], [0.0, 1.0]]]
)
def test_dense(given: object) -> None:
    """Whatever a transform gives, sparse or a data frame, becomes an array."""
    np.testing.assert_array_equal(dense(given), np.eye(2))


def test_sparse_transform() -> None:
    """A model whose transform is sparse answers with an array."""
    encoder = OneHotEncoder().fit(VALUES.round())
    array = SklearnEngine(encoder).run(TensorRows(VALUES.round()), ("transform",))["transform"]
    np.testing.assert_array_equal(array, encoder.transform(VALUES.round()).toarray())


def test_skops_opens_only_what_is_trusted(tmp_path: Path) -> None:
    """A type that isn't in `trusted` isn't opened; one that is, is."""
    dump(Obedient().fit(VALUES), tmp_path / "model.skops")
    trusted = load_estimator(tmp_path / "model.skops", ("tests.fakes.Obedient",))
    assert type(trusted) is Obedient
    with pytest.raises(Exception, match=r"tests\.fakes\.Obedient"):
        load_estimator(tmp_path / "model.skops", ())


def test_artifact_that_cannot_be_opened(tmp_path: Path) -> None:
    """A file that is no model breaks the version, with the file's name and the reason."""
    (tmp_path / "none").write_bytes(b"not a model")
    with pytest.raises(BrokenVersion, match=r"^none: "):
        load_engine(tmp_path, fake_version().manifest)
