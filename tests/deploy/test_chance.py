"""Chance: equal samples rarely look different, and different ones do once there are enough rows."""

from math import inf

import numpy as np
import pytest

from deploy.chance import labels_apart, least_share, numbers_apart

TRIALS = 400


@pytest.mark.parametrize(
    ("part", "whole", "least"),
    [(0, 0, 0.0), (0, 100, 0.0), (50, 100, 0.4038), (100, 100, 0.9630), (5, 10, 0.2366)],
)
def test_least_share(part: float, whole: float, least: float) -> None:
    """Wilson's lower bound has its published values, and is 0 where there is nothing."""
    assert least_share(part, whole) == pytest.approx(least, abs=5e-4)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.5])
@pytest.mark.parametrize("rows", [100, 2000])
def test_least_share_is_rarely_too_high(share: float, rows: int) -> None:
    """It lies above the true share in no more than some 5 of 100 samples, if they aren't tiny."""
    found = np.random.default_rng(0).binomial(rows, share, TRIALS)
    assert np.mean([least_share(part, rows) > share for part in found]) < 0.07


def test_least_share_comes_near_the_share() -> None:
    """With many rows it is the share."""
    assert least_share(100_000, 1_000_000) == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize(
    ("one", "two", "distance"),
    [
        ({"a": 5, "b": 5}, {"a": 50, "b": 50}, 0.0),
        ({"a": 1}, {"b": 3}, 1.0),
        ({"a": 6, "b": 4}, {"a": 4, "b": 5, "c": 1}, 0.2),
    ],
)
def test_distance_of_labels(one: dict[str, int], two: dict[str, int], distance: float) -> None:
    """It is half the sum of the differences of shares, in either order."""
    assert labels_apart(one, two).distance == pytest.approx(distance)
    assert labels_apart(two, one) == pytest.approx(labels_apart(one, two))


def counted(shares: list[float], rows: int, seed: int) -> dict[str, int]:
    """Return counts of labels of a sample."""
    counts = np.random.default_rng(seed).multinomial(rows, shares)
    return {str(label): int(count) for label, count in enumerate(counts)}


@pytest.mark.parametrize("labels", [2, 10, 100])
@pytest.mark.parametrize(("rows_one", "rows_two"), [(100, 100), (5000, 100), (1000, 1000)])
def test_labels_of_one_distribution(labels: int, rows_one: int, rows_two: int) -> None:
    """Two samples of the same labels are further apart than chance allows in at most 5 of 100 cases."""
    shares = [1 / labels] * labels
    found = [
        labels_apart(counted(shares, rows_one, 2 * seed), counted(shares, rows_two, 2 * seed + 1))
        for seed in range(TRIALS)
    ]
    assert np.mean([each.distance > each.chance for each in found]) <= 0.05
    # Nor is so much allowed that nothing would ever be found.
    assert np.mean([each.chance for each in found]) < 3 * np.sqrt(labels / min(rows_one, rows_two))


def test_labels_that_moved() -> None:
    """A third of the rows with another label stands out at 1,000 rows, and not at 10."""
    one, two = [0.5, 0.5], [0.84, 0.16]
    many = labels_apart(counted(one, 1000, 1), counted(two, 1000, 2))
    assert many.distance - many.chance > 0.2
    few = labels_apart(counted(one, 10, 1), counted(two, 10, 2))
    assert few.distance < few.chance


def sums(values: "np.ndarray") -> tuple[float, float, float]:
    """Return a sample as it is counted."""
    return float(len(values)), float(values.sum()), float((values**2).sum())


def test_distance_of_numbers() -> None:
    """It is measured in standard deviations of the first sample."""
    one = np.array([1.0, 3.0, 1.0, 3.0])
    assert numbers_apart(sums(one), sums(one)).distance == 0.0
    assert numbers_apart(sums(one), sums(one + 4)).distance == pytest.approx(4.0)
    assert numbers_apart(sums(one), sums(one - 4)).distance == pytest.approx(4.0)
    assert numbers_apart(sums(one * 2), sums(one * 2 + 4)).distance == pytest.approx(2.0)


def test_numbers_of_one_distribution() -> None:
    """Two samples of the same numbers are further apart than chance allows in some 5 of 100 cases."""
    random = np.random.default_rng(0)
    found = [
        numbers_apart(sums(random.normal(-50, 9, 1000)), sums(random.normal(-50, 9, 100)))
        for _ in range(TRIALS)
    ]
    assert 0.01 < np.mean([each.distance > each.chance for each in found]) < 0.09


def test_constant_numbers() -> None:
    """A version that always answers the same is as it was, or moved; rounding isn't a move."""
    sevens = np.full(1000, 7.0)
    assert numbers_apart(sums(sevens), sums(sevens)).distance == 0.0
    assert numbers_apart(sums(sevens), sums(sevens * (1 + 1e-9))).distance < 0.1
    assert numbers_apart(sums(sevens), sums(sevens * 1.01)).distance > 100
    assert numbers_apart(sums(sevens * 0), sums(sevens * 0)).distance == 0.0
    assert numbers_apart(sums(sevens * 0), sums(sevens)).distance == inf
