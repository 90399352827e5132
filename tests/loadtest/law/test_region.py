"""The region of parameters: all of its border is equally likely, and it is what a search finds too."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import f as fisher

from loadtest.law.region import LEAST_COST, Floats, basis, find_region

TRUTH = np.array([1.0, 0.05, 0.005])


def costs(noise: float, counts: tuple[int, ...] = (1, 2, 4)) -> tuple[Floats, Floats]:
    """Return replicas and what a request costs, four times each, with noise."""
    replicas = np.repeat(np.array(counts, dtype=np.float64), 4)
    random = np.random.default_rng(5)
    return replicas, basis(replicas) @ TRUTH * np.exp(random.normal(0, noise, len(replicas)))


def squares(parameters: Floats, replicas: Floats, measured: Floats) -> float:
    """Return by how much parameters miss."""
    return float(np.sum(np.log(basis(replicas) @ parameters / measured) ** 2))


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.6])
def test_border(noise: float) -> None:
    """Its points are all at the edge of what may be chance, and none is below a bound."""
    replicas, measured = costs(noise)
    region = find_region(replicas, measured)
    least = squares(region.best, replicas, measured)
    edge = least * (1 + fisher.ppf(0.95, 1, 9) / 9)
    assert [squares(each, replicas, measured) for each in region.others] == pytest.approx(
        np.full(len(region.others), edge), rel=1e-3
    )
    assert np.all(region.others >= [LEAST_COST, 0, 0])


def test_ends_of_an_interval() -> None:
    """The least and largest cost of 16 replicas are those that an optimiser finds as well."""
    replicas, measured = costs(0.1)
    region = find_region(replicas, measured)
    edge = squares(region.best, replicas, measured) * (1 + fisher.ppf(0.95, 1, 9) / 9)
    at = basis([16])[0]
    ends = [
        at
        @ minimize(
            lambda parameters, sign=sign: sign * at @ parameters,
            region.best,
            bounds=[(LEAST_COST, None), (0, None), (0, None)],
            constraints={
                "type": "ineq",
                "fun": lambda parameters: edge - squares(parameters, replicas, measured),
            },
        ).x
        for sign in (1, -1)
    ]
    found = region.others @ at
    assert [found.min(), found.max()] == pytest.approx(ends, rel=0.01)
    assert region.others[:, 2].min() == 0
