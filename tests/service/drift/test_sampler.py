"""The sampler: an even rate of rows in a bounded queue, whatever clients send and however fast."""

import random
from typing import Any

import numpy as np
import pytest

from service.drift import sampler as module
from service.drift.binning import MOST_CHARACTERS
from service.drift.sampler import MOST_STRIDE, Sampler
from service.rows import TensorRows, TextRows
from tests.fakes import pairs

ROW = pairs((1.0, 2.0))
ANSWER: dict[str, list[Any]] = {"predict": [3.0]}


def offer(sampler: Sampler, requests: int) -> int:
    """Offer requests of one row, and return how many of them were taken."""
    before = len(sampler.waiting)
    for _ in range(requests):
        sampler.observe(b"", ROW, ANSWER)
    return len(sampler.waiting) - before


def test_slow_traffic_is_taken_whole() -> None:
    """With a stride of one every request is taken, with what was answered that is of use."""
    sampler = Sampler(10)
    sampler.observe(
        b"id", ROW, {"predict": [3.0], "decision_function": [1.0], "predict_proba": [[1.0]]}
    )
    assert offer(sampler, 4) == 4
    assert sampler.offered == 5
    assert sampler.waiting[0].rows is ROW
    assert sampler.waiting[0].columns == {"predict": [3.0], "predict_proba": [[1.0]]}


def test_stride() -> None:
    """One in `stride` is taken on average, and requests are estimated as they were."""
    sampler = Sampler(10_000)
    sampler.stride = 50
    assert offer(sampler, 200_000) == pytest.approx(4000, rel=0.1)
    assert sampler.offered == pytest.approx(200_000, rel=0.1)


def test_rows_in_a_circle_are_all_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that send the same rows over and over don't fall into step: every row is taken."""
    monkeypatch.setattr(module, "random", random.Random(1).random)
    sampler = Sampler(10_000)
    sampler.stride = 50
    for request in range(100_000):
        sampler.observe(b"", pairs((request % 100, 0.0)), ANSWER)
    seen = {int(taken.rows.values[0, 0]) for taken in sampler.waiting}
    assert seen == set(range(100))


def test_full_queue() -> None:
    """A queue that nobody empties doesn't grow; the stride does, so that it costs less and less."""
    sampler = Sampler(8)
    assert offer(sampler, 100_000) == 8
    assert 1000 < sampler.stride <= MOST_STRIDE
    sampler.stride, sampler._skip = MOST_STRIDE, 0
    offer(sampler, 1)
    assert sampler.stride == MOST_STRIDE


def test_batch() -> None:
    """Of a batch at most 16 rows are copied, evenly spaced, and the answers that belong to them."""
    sampler = Sampler(8)
    rows = TensorRows(np.arange(200.0).reshape(100, 2))
    sampler.observe(b"", rows, {"predict": rows.values.sum(axis=1).tolist()})
    (taken,) = sampler.waiting
    assert taken.rows.values[:, 0].tolist() == [float(n) for n in range(0, 200, 14)]
    assert taken.columns["predict"] == taken.rows.values.sum(axis=1).tolist()
    assert not np.shares_memory(taken.rows.values, rows.values)


def test_long_texts_are_cut() -> None:
    """A text of megabytes isn't kept waiting; what measures look at is."""
    sampler = Sampler(8)
    sampler.observe(b"", TextRows(["x" * 50_000, "short"]), {"predict": ["a", "b"]})
    (taken,) = sampler.waiting
    assert [len(text) for text in taken.rows.values] == [MOST_CHARACTERS + 1, 5]


def test_hasten() -> None:
    """After less traffic than before the next request that is taken isn't far away."""
    sampler = Sampler(8)
    sampler.stride, sampler._skip = 1024, 2000
    for _ in range(10):
        sampler.hasten()
    assert sampler.stride == 1
    assert offer(sampler, 2) == 1
    sampler.hasten()
    assert sampler.stride == 1
