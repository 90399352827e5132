"""The folded engine: rows in, one numpy product out, through a link for each output.

Made by `service.engine` for versions whose manifest says `linear`, from the arrays that
`deploy.compile.fold` wrote. Needs numpy alone.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.rows import Rows, TableRows
from service.signature import Signature, Tensor

Array = NDArray[Any]
Link = Callable[[Array], Array]


class LinearEngine:
    """A linear model in one file of arrays.

    `weights` are (width,) where a row has one score, else (width, scores); `intercept` fits them.
    `classes` are a classifier's, and `proba` names its link from scores to probabilities, if any.
    """

    name = "linear"

    def __init__(self, path: Path, signature: Signature) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self._weights, self._intercept = arrays["weights"], arrays["intercept"]
            links = {each.name: _link(each, arrays) for each in signature.outputs}
        if len(self._weights) != signature.width:
            raise ValueError(f"weights for {len(self._weights)} columns, not {signature.width}")
        self._links = links
        self._is_table = signature.kind == "table"

    def run(self, rows: Rows, outputs: Sequence[str]) -> dict[str, Array]:
        """Return the outputs of rows; raise `ValueError` for NaN and numbers beyond some 1e154."""
        numbers = self._numbers(rows)
        # scikit-learn refuses what isn't finite, also behind its scalers. The sum of squares finds
        # that, and what might become so, in half the time that a look at each number takes.
        if not isfinite(np.vdot(numbers, numbers)):
            raise ValueError("its numbers are too large, or not numbers")
        # A method, because `@` takes twice as long for a single row.
        scores = numbers.dot(self._weights) + self._intercept
        return {name: self._links[name](scores) for name in outputs}

    def _numbers(self, rows: Rows) -> Array:
        if self._is_table:
            assert isinstance(rows, TableRows)
            return np.array(rows.values, dtype=np.float64)
        numbers: Array = rows.model_input()
        return numbers


def _link(output: Tensor, arrays: Any) -> Link:
    """Return what makes an output of scores. None changes the scores: several may be asked for."""
    if output.name == "predict_proba":
        return PROBABILITIES[str(arrays["proba"])]
    if output.name == "predict" and "classes" in arrays:
        classes = arrays["classes"]
        return partial(_best_of_two if arrays["weights"].ndim == 1 else _best, classes)
    return _scores


def _scores(scores: Array) -> Array:
    return scores


def _best(classes: Array, scores: Array) -> Array:
    best: Array = classes.take(scores.argmax(1))
    return best


def _best_of_two(classes: Array, scores: Array) -> Array:
    best: Array = classes.take(scores > 0)
    return best


def _softmax(scores: Array) -> Array:
    powers: Array = np.exp(scores - scores.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def _sigmoid(scores: Array) -> Array:
    """Return 1 / (1 + exp(-score)), without a power that overflows."""
    powers = np.exp(-np.abs(scores))
    chances: Array = np.where(scores >= 0, 1.0, powers) / (1.0 + powers)
    return chances


def _chances_of_two(scores: Array) -> Array:
    chances = np.empty((len(scores), 2))
    chances[:, 1] = _sigmoid(scores)
    np.subtract(1.0, chances[:, 1], out=chances[:, 0])
    return chances


def _one_against_rest(scores: Array) -> Array:
    """Return each class's own chance as its share of them all; of none, each has the same share."""
    chances = _sigmoid(scores)
    total = chances.sum(axis=1, keepdims=True)
    chances[total[:, 0] == 0], total[total == 0] = 1.0, chances.shape[1]
    chances /= total
    return chances


PROBABILITIES: dict[str, Link] = {
    "softmax": _softmax,
    "two": _chances_of_two,
    "one against rest": _one_against_rest,
}
