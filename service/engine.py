"""Engines: rows in, one array for each output out. Called by the batcher, in its worker thread.

An engine knows no HTTP and keeps no state between calls. scikit-learn itself is here, compiled models
are in `service.onnx_engine` and `service.linear_engine`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from service.linear_engine import LinearEngine
from service.manifest import BrokenVersion, Manifest
from service.rows import Rows


class Engine(Protocol):
    """What the core needs of a loaded model."""

    name: str

    def run(self, rows: Rows, outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return for each output an array whose first axis is the rows."""


class SklearnEngine:
    """A fitted scikit-learn estimator; each output is the method of the same name."""

    name = "sklearn"

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def run(self, rows: Rows, outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Call one method of the estimator for each output."""
        given = rows.model_input()
        return {name: dense(getattr(self._estimator, name)(given)) for name in outputs}


def dense(values: Any) -> NDArray[Any]:
    """Return what a method gave as an array: a transform may give a sparse matrix or a data frame."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    return np.asarray(values)


def load_engine(folder: Path, manifest: Manifest) -> Engine:
    """Open a verified version for its engine; raise `BrokenVersion` where it can't be opened."""
    compiled = manifest.engine in ("linear", "onnx")
    try:
        if manifest.engine == "linear":
            return LinearEngine(folder / manifest.compilation.folded, manifest.signature)
        if compiled:
            from service.onnx_engine import OnnxEngine  # only who serves such a model pays for it

            return OnnxEngine(folder, manifest.compilation, manifest.signature)
        return SklearnEngine(load_estimator(folder / manifest.artifact, manifest.trusted))
    except Exception as error:  # whatever a foreign file makes its loader raise
        what = "the compiled model" if compiled else manifest.artifact
        raise BrokenVersion(f"{what}: {type(error).__name__}: {error}") from error


def load_estimator(path: Path, trusted: Sequence[str]) -> Any:
    """Load a model file. A pickle is only ever here because its publisher said `--trust`."""
    if path.suffix == ".skops":
        from skops.io import load

        return load(path, trusted=list(trusted))
    import joblib

    return joblib.load(path)
