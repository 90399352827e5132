"""Which parameters fit as well as the best ones, but for chance: a region of them; `fit` calls it.

The scaling law is linear in what requests cost: N / X(N) = a + b (N-1) + c N (N-1), with
a = 1 / lambda, b = sigma / lambda and c = kappa / lambda. So parameters here are (a, b, c), none below
0, in units in which costs are about 1. Noise is a share: repetitions of a fast step differ by more
requests than those of a slow one, but by the same percents.

The region is the profile likelihood's (D. M. Bates, D. G. Watts, Nonlinear Regression Analysis and Its
Applications, 1988, chapter 6): all parameters that miss by squares of at most S + t² s², with S the
least, s the noise and t Student's quantile. The least and the largest that any function takes there
are that function's 95 % interval. Unlike a covariance it knows the bounds: it ends at kappa = 0.

What steps have of their own, and repetitions share, is in it as far as steps miss the law: with twice
as much noise from step to step as within, 95 % intervals of four steps held the truth in 83 % of
studies. Three steps fit any law, and show nothing of it.
"""

from math import pi, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares, nnls
from scipy.stats import t as student

Floats = npt.NDArray[np.float64]
CONFIDENCE = 0.95
PARAMETERS = 3
# No rate is known better than this, as a share: it is a count during a few seconds.
LEAST_NOISE = 1e-4
# Instead of 0 for `a`: a replica alone isn't infinitely fast.
LEAST_COST = 1e-9
# Spread evenly over a sphere they are 0.05 rad apart: an extreme is missed by 0.1 % of the width.
DIRECTIONS = 2000
DOUBLINGS, HALVINGS = 40, 40


class Region(NamedTuple):
    """The best (a, b, c), shape (3,), others that may be true, shape (n, 3), and the noise, a share."""

    best: Floats
    others: Floats
    noise: float


def basis(replicas: npt.ArrayLike) -> Floats:
    """Return what a, b and c are multiplied with: shape (len(replicas), 3)."""
    count = np.atleast_1d(np.asarray(replicas, dtype=np.float64))
    return np.stack([np.ones_like(count), count - 1, count * (count - 1)], axis=1)


def find_region(replicas: Floats, costs: Floats) -> Region:
    """Fit costs N/X (about 1), shape (n,), of so many replicas, shape (n,), at least 4 of them."""
    terms, measured = basis(replicas), np.log(costs)

    def apart(parameters: Floats) -> Floats:
        return np.log(terms @ parameters) - measured

    start = np.maximum(nnls(terms / costs[:, None], np.ones_like(costs))[0], [LEAST_COST, 0, 0])
    bounds = ([LEAST_COST, 0.0, 0.0], [np.inf] * PARAMETERS)
    found = least_squares(
        apart, start, lambda p: terms / (terms @ p)[:, None], bounds, method="dogbox", xtol=1e-12
    )
    best = np.asarray(found.x, dtype=np.float64)
    squares, free = float(np.sum(apart(best) ** 2)), len(costs) - PARAMETERS
    noise = max(sqrt(squares / free), _misfit(replicas, apart(best)), LEAST_NOISE)
    most = squares + (float(student.ppf((1 + CONFIDENCE) / 2, free)) * noise) ** 2
    return Region(best, _border(terms, measured, best, most), noise)


def _misfit(replicas: Floats, apart: Floats) -> float:
    """Return by how much steps miss the law, as noise of one run; 0 where three steps fit any law.

    A step may have had something of its own, which its repetitions share: they are no evidence against
    it. Then the intervals are as wide as steps differ from the law.
    """
    steps = np.unique(replicas)
    if len(steps) <= PARAMETERS:
        return 0.0
    missed = sum(np.sum(replicas == each) * np.mean(apart[replicas == each]) ** 2 for each in steps)
    return sqrt(float(missed) / (len(steps) - PARAMETERS))


def _border(terms: Floats, measured: Floats, best: Floats, most: float) -> Floats:
    """Return where, seen from the best parameters, the sum of squares becomes `most`: shape (n, 3).

    A way that meets a bound goes on along it.
    """
    slopes = terms / (terms @ best)[:, None]
    # In these directions the sum of squares grows about equally fast.
    ways = np.linalg.solve(np.linalg.cholesky(slopes.T @ slopes).T, _sphere().T).T

    def at(lengths: Floats) -> Floats:
        return np.maximum(best + lengths[:, None] * ways, [LEAST_COST, 0, 0])

    def inside(lengths: Floats) -> npt.NDArray[np.bool_]:
        apart = np.log(at(lengths) @ terms.T) - measured
        return np.asarray(np.sum(apart**2, axis=1) <= most)

    short, long = np.zeros(DIRECTIONS), np.full(DIRECTIONS, sqrt(most))
    for _ in range(DOUBLINGS):
        within = inside(long)
        if not within.any():
            break
        short, long = np.where(within, long, short), np.where(within, 2 * long, long)
    for _ in range(HALVINGS):
        middle = (short + long) / 2
        within = inside(middle)
        short, long = np.where(within, middle, short), np.where(within, long, middle)
    return at(short)


def _sphere() -> Floats:
    """Return directions that are spread evenly, along a golden spiral: shape (DIRECTIONS, 3)."""
    number = np.arange(DIRECTIONS) + 0.5
    height, angle = 1 - 2 * number / DIRECTIONS, pi * (1 + sqrt(5)) * number
    width = np.sqrt(1 - height**2)
    return np.stack([width * np.cos(angle), width * np.sin(angle), height], axis=1)
