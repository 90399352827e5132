"""Chance: how far apart two samples are, and how far they may be though nothing has changed.

All of it takes rows for independent of each other. They aren't quite: a client may ask for the same
row again and again, and one client's rows resemble each other. So real differences by chance are
larger, and limits must not be drawn too tightly.
"""

from collections.abc import Mapping
from math import inf, log, pi, sqrt
from typing import NamedTuple

# Two-sided, 95 of 100.
NORMAL = 1.96
# McDiarmid's bound is passed in 5 of 100 cases at most.
RARE = 0.05
# Of a variance, as a share of the squared mean.
ROUNDING = 1e-9


class Apart(NamedTuple):
    """A distance, and how much of it may be chance."""

    distance: float
    chance: float


def least_share(part: float, whole: float) -> float:
    """Return what a share is at least, though `part` of `whole` was found: Wilson's lower bound.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal of the
    American Statistical Association 22 (1927).
    """
    if not whole:
        return 0.0
    share, square = part / whole, NORMAL**2 / whole
    middle = share + square / 2
    spread = sqrt(max(0.0, share * (1 - share) * square + square**2 / 4))
    return max(0.0, (middle - spread) / (1 + square))


def labels_apart(one: Mapping[str, float], two: Mapping[str, float]) -> Apart:
    """Return the total variation distance of two counts of labels, from 0 (the same) to 1 (disjoint).

    Chance is the distance to be expected of two samples of the same distribution, by the mean absolute
    deviation of a normal one, and on top what it is exceeded by in 5 of 100 cases at most (C.
    McDiarmid, On the method of bounded differences, 1989: a row moves it by no more than 1/n).
    """
    rows_one, rows_two = sum(one.values()), sum(two.values())
    distance = expected = 0.0
    for label in {**one, **two}:
        a, b = one.get(label, 0.0), two.get(label, 0.0)
        share = (a + b) / (rows_one + rows_two)
        distance += abs(a / rows_one - b / rows_two) / 2
        expected += sqrt(max(0.0, share * (1 - share)) / (2 * pi))
    few = sqrt(1 / rows_one + 1 / rows_two)
    return Apart(distance, (expected + sqrt(log(1 / RARE) / 2)) * few)


def numbers_apart(one: tuple[float, float, float], two: tuple[float, float, float]) -> Apart:
    """Return how far two means are apart, in standard deviations of the first sample.

    A sample is its count, sum and sum of squares. Chance is the 95 % interval of a difference of means
    (B. L. Welch, 1938).
    """
    (rows_one, mean_one, variance_one), (rows_two, mean_two, variance_two) = map(_moments, (one, two))
    difference, deviation = abs(mean_two - mean_one), sqrt(variance_one)
    if not deviation:
        return Apart(inf if difference else 0.0, 0.0)
    error = sqrt(variance_one / rows_one + variance_two / rows_two)
    return Apart(difference / deviation, NORMAL * error / deviation)


def _moments(sample: tuple[float, float, float]) -> tuple[float, float, float]:
    count, total, squares = sample
    mean = total / count
    # Sums that have grown for weeks are subtracted here: what is less than this may be rounding.
    return count, mean, max(squares / count - mean**2, ROUNDING * mean**2)
