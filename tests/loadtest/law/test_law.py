"""The law: what it says at any number of replicas, and where more of them give less."""

from math import inf

import numpy as np
import pytest

from loadtest.law.fit import fit_rates
from loadtest.law.law import Law
from tests.loadtest.studies import usl


def exact(alone: float, sigma: float, kappa: float, noise: float = 0.0) -> Law:
    """Return the law of peaks that follow it; `noise` alternates, so that it cancels out."""
    return fit_rates(
        [
            (count, usl(count, alone, sigma, kappa) * (1 + sign * noise))
            for count in (1, 2, 4, 8)
            for sign in (-1, 1)
        ]
    )


def test_curve_is_at() -> None:
    """A curve is the law at each of its points; intervals hold the value."""
    law = exact(500, 0.05, 0.005, noise=0.01)
    value, low, high = law.curve(np.array([1, 3, 20]))
    assert (value[1], low[1], high[1]) == pytest.approx(law.at(3))
    assert np.all((low < value) & (value < high))


@pytest.mark.parametrize("replicas", [0, -1, 0.5])
def test_less_than_a_replica(replicas: float) -> None:
    """The law begins with one replica."""
    with pytest.raises(ValueError, match=f"replicas: expected 1 or more, got {replicas:g}"):
        exact(500, 0.05, 0.005).at(replicas)


def test_peak_by_hand() -> None:
    """N* = sqrt((1 - 0.04) / 0.006) = 12.65; it is seen, and more give less."""
    law = exact(500, 0.04, 0.006, noise=0.002)
    assert law.peak_replicas.value == pytest.approx(12.65, abs=0.05)
    assert law.peak_replicas.low < 12.65 < law.peak_replicas.high < 16
    assert law.peak_seen
    assert law.at(12.65).value > max(law.at(10).value, law.at(16).value)


def test_no_peak() -> None:
    """Without coherency there is none; where its interval holds 0 none is seen."""
    law = exact(500, 0.04, 0.0)
    assert law.peak_replicas.value == inf or law.peak_replicas.value > 1000
    unsure = exact(500, 0.04, 0.0005, noise=0.02)
    assert unsure.kappa.low == 0
    assert unsure.peak_replicas.high == inf
    assert not unsure.peak_seen


def test_peak_at_one() -> None:
    """Where the second replica is one too many the peak is at one, not at none."""
    assert exact(500, 1.5, 0.1).peak_replicas.value == 1


def test_without_a_single_replica() -> None:
    """Steps that begin high leave open what one gives, which may be any rate; not what they give."""
    law = fit_rates(
        [(count, usl(count, 500, 2.0, 0.5) * f) for count in (16, 24, 32) for f in (0.9, 1.1)]
    )
    assert law.alone.high == inf
    assert law.at(24).high < 2 * law.at(24).low
