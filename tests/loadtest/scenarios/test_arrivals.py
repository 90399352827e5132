"""Arrivals are due by the clock alone."""

import itertools
import random

import pytest

from loadtest.scenarios.arrivals import GRACE_SECONDS, Arrivals


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now


def test_rate_and_chance() -> None:
    """So many come in a second on average, and the gaps are spread as chance spreads them."""
    random.seed(7)
    arrivals = Arrivals(50.0, Clock())
    dues = [arrivals.take() for _ in range(20_000)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(dues)]
    mean = sum(gaps) / len(gaps)
    assert mean == pytest.approx(1 / 50, rel=0.03)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance**0.5 == pytest.approx(mean, rel=0.05), "of a Poisson process both are equal"


def test_a_stall_moves_nothing() -> None:
    """Who sends late finds the arrivals of meanwhile due at the times that they were due."""
    clock = Clock()
    arrivals = Arrivals(10.0, clock)
    first = arrivals.due
    assert arrivals.wait_seconds() == pytest.approx(first - 100)
    clock.now = 200.0
    assert arrivals.wait_seconds() == 0
    assert arrivals.take() == first
    assert first < arrivals.due < 110


def test_overdue() -> None:
    """What was due and wasn't sent is counted once; what has only just become due isn't."""
    clock = Clock()
    arrivals = Arrivals(10.0, clock)
    clock.now = 150.0
    assert 350 < arrivals.overdue() < 650
    assert arrivals.overdue() == 0
    clock.now = arrivals.due + GRACE_SECONDS / 2
    assert (arrivals.wait_seconds(), arrivals.overdue()) == (0, 0)
