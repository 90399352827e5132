"""Models and servers of the bench's tests: right, wrong once, out of order."""

import json
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from tests.loadtest.fakes import Reply


class Predicting(Protocol):
    """Anything with a model's `predict`."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return a class for each row."""
        ...


def digits_model() -> GaussianNB:
    """Return a model of the digits."""
    return GaussianNB().fit(*load_digits(return_X_y=True))


class OneWrong:
    """A model that mistakes one row of the first 200."""

    def __init__(self, model: GaussianNB) -> None:
        self.model, self.row = model, load_digits().data[150]

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the classes, and for that row one that isn't its own."""
        classes: NDArray[np.int64] = self.model.predict(rows)
        same = (rows[:, 1:] == self.row[1:]).all(axis=1)  # the first pixel is a number of the bench's
        return np.where(same, classes + 1, classes)


def serving(model: Predicting) -> Callable[[bytes], Reply]:
    """Return what answers with a model's predictions."""

    def answer(body: bytes) -> Reply:
        classes = model.predict(np.asarray(json.loads(body)["instances"])).tolist()
        return 200, {}, json.dumps({"predictions": classes}).encode()

    return answer


def failing(body: bytes) -> Reply:
    """Answer with an error."""
    return 500, {}, b'{"error": "out of order"}'
