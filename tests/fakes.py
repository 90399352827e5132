"""Fakes: an engine that counts its calls and can be held up, and an estimator that takes orders."""

import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from service.manifest import Manifest
from service.rows import Rows, TensorRows
from service.signature import Signature, Tensor
from service.version import LoadedVersion

PAIR = Signature(
    "tensor",
    (Tensor("x", "float64", (-1, 2)),),
    (Tensor("predict", "float64"), Tensor("predict_proba", "float64", (-1, 2))),
)
# Orders for `Obedient` and `FakeEngine`, given as the first number of a row. Any other number is fine.
REFUSE, BREAK, STOP = -1.0, -2.0, -3.0
ERRORS = {REFUSE: ValueError("can't take it"), BREAK: RuntimeError("broken"), STOP: StopIteration()}
PATIENCE_SECONDS = 10.0


class FakeEngine:
    """Answers rows of two numbers with their sum times `factor`, and remembers what it was asked."""

    name = "fake"

    def __init__(self, factor: float = 1.0) -> None:
        self._factor = factor
        self.calls: list[tuple[list[list[float]], tuple[str, ...]]] = []
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    @property
    def rows_computed(self) -> int:
        """The rows of all calls."""
        return sum(len(rows) for rows, _ in self.calls)

    def run(self, rows: Rows, outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Wait until it may go on, then answer; fail where a row says so."""
        values: NDArray[np.float64] = rows.model_input()
        self.calls.append((values.tolist(), tuple(outputs)))
        self.entered.set()
        assert self.may_go_on.wait(PATIENCE_SECONDS)
        for order in set(values[:, 0]) & set(ERRORS):
            raise ERRORS[order]
        return {name: fake_answer(values, name, self._factor) for name in outputs}


def fake_answer(values: NDArray[np.float64], output: str, factor: float = 1.0) -> NDArray[Any]:
    """Return what `FakeEngine` answers."""
    sums = values.sum(axis=1) * factor
    return sums if output == "predict" else np.column_stack([sums, -sums])


def fake_version(
    engine: Any = None, name: str = "m", number: int = 1, digest: str = "", signature: Signature = PAIR
) -> LoadedVersion:
    """Return a loaded version that nobody published."""
    manifest = Manifest(
        name=name,
        version=number,
        created="2024-05-01T12:00:00+00:00",
        digest=digest or f"digest of {name} {number}",
        files={},
        artifact="none",
        engine="fake",
        signature=signature,
    )
    return LoadedVersion(manifest, engine or FakeEngine())


def pairs(*rows: tuple[float, float]) -> TensorRows:
    """Return rows for `PAIR`."""
    return TensorRows(np.array(rows, dtype=np.float64))


class Obedient(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Sums the numbers of a row, after as many seconds as the first row's first number says."""

    def fit(self, rows: NDArray[np.float64]) -> "Obedient":
        """Learn only how wide a row is."""
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return sums, or raise what the rows order."""
        for order in set(rows[:, 0]) & set(ERRORS):
            raise ERRORS[order]
        time.sleep(max(rows[0, 0], 0.0))
        return rows.sum(axis=1)


class FakeBreaker:
    """A breaker that is where it was put."""

    closed = True


class FakeCache:
    """A cache in memory. Takes the place of `RowCache` where Redis isn't what is tested."""

    def __init__(self) -> None:
        self.breaker = FakeBreaker()
        self.stored: dict[bytes, bytes] = {}
        self.answers = True
        self.lookup_seconds = 100e-6

    async def look_up(self, keys: list[bytes]) -> list[bytes | None] | None:
        """Return what is stored; None alone when it was told not to answer."""
        return [self.stored.get(key) for key in keys] if self.answers else None

    def store(self, key: bytes, value: bytes) -> None:
        """Keep a value."""
        self.stored[key] = value


class Picky(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Takes a column of pandas categories, which is nothing that a replica could be sent."""

    def predict(self, rows: Any) -> NDArray[Any]:
        """Return the codes of the categories."""
        return rows["city"].cat.codes.to_numpy()
