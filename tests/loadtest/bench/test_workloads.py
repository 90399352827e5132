"""Bodies: honest rows, no two alike unless they are to be, and favourites by Zipf's law."""

import json
from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import load_digits

from loadtest.bench.workloads import DRAWS, FAVOURITES, MARK, WORKLOADS, Workload, zipf_draws


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.title)
def test_bodies_differ_and_hold_the_rows(workload: Workload) -> None:
    """No two bodies are equal, each has its rows, and only a blank first pixel is ever replaced."""
    bodies = workload.bodies()
    assert len(set(bodies)) == len(bodies) >= 28
    pixels = load_digits().data
    for index, body in enumerate(bodies[:3]):
        marks = 0 if workload.shape == "repeats" else workload.rows_per_request
        assert body.count(MARK) == marks
        rows = json.loads(body.replace(MARK, "0.0000000"))["instances"]
        start = index * workload.rows_per_request
        np.testing.assert_array_equal(rows, pixels[start : start + workload.rows_per_request])


def test_draws_follow_zipf() -> None:
    """The n-th favourite comes about n to the power of 1.1 times less often than the first."""
    draws = zipf_draws()
    counts = Counter(draws)
    assert len(draws) == DRAWS == sum(counts.values())
    assert len(Workload("digits", "repeats").bodies()) == FAVOURITES > max(draws)
    for rank in (2, 5, 10):
        assert counts[0] / counts[rank - 1] == pytest.approx(rank**1.1, rel=0.1)


def test_draws_are_always_the_same() -> None:
    """Two runs ask for the same rows in the same order."""
    assert zipf_draws() == zipf_draws()


def test_the_uncompiled_forest_is_the_same_model() -> None:
    """The forest on scikit-learn is compared with the hand-written server's forest."""
    assert Workload("forest-sklearn", "unique").original == "digits-forest"
    assert Workload("digits", "unique").original == "digits"
