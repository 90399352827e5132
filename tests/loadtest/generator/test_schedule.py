"""Schedules: as many arrivals as were asked for, at the right moments, over processes as well."""

import itertools
import math
from statistics import fmean, pstdev

import pytest

from loadtest.generator.schedule import Arrivals, AsAnswered, arrivals


def test_even_arrivals_are_even_over_processes() -> None:
    """Together, three processes' arrivals are one clock's."""
    parts = [list(arrivals("even", 50.0, 100, index, 3, "")) for index in range(3)]
    assert sorted(itertools.chain(*parts)) == [slot / 50 for slot in range(100)]
    assert [len(part) for part in parts] == [34, 33, 33]


@pytest.mark.parametrize(("due", "processes"), [(3000, 1), (3001, 4), (1, 2)])
def test_random_arrivals_have_the_exact_number(due: int, processes: int) -> None:
    """However they fall, as many are due as were asked for, in order, and none after the end."""
    parts = [
        list(arrivals("poisson", 1000.0, due, index, processes, f"{index}"))
        for index in range(processes)
    ]
    assert sum(map(len, parts)) == due
    for part in parts:
        assert part == sorted(part)
        assert all(0 <= at < due / 1000 for at in part)


def test_random_arrivals_are_a_poisson_process() -> None:
    """Gaps are exponential (as wide as long, on average), counts of spans vary as much as their mean.

    Even arrivals do neither.
    """
    times = list(arrivals("poisson", 1000.0, 50_000, 0, 1, "a seed"))
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert fmean(gaps) == pytest.approx(0.001, rel=0.02)
    assert pstdev(gaps) == pytest.approx(0.001, rel=0.03)
    counts = [0] * 1000
    for at in times:
        counts[int(at / 0.05)] += 1
    assert pstdev(counts) ** 2 == pytest.approx(50, rel=0.2)
    even = list(arrivals("even", 1000.0, 50_000, 0, 1, ""))
    assert pstdev(later - earlier for earlier, later in itertools.pairwise(even)) < 1e-9


def test_seeds_make_arrivals() -> None:
    """The same seed gives the same moments, another one others."""
    one, again, other = (list(arrivals("poisson", 10.0, 20, 0, 1, seed)) for seed in "aab")
    assert one == again != other


def test_takes_what_is_due() -> None:
    """Requests are taken in their order from the moment on at which they are due, not before."""
    schedule = Arrivals(iter([0.1, 0.2, 0.3]), started=100.0)
    assert schedule.take(100.09) is None
    assert schedule.take(100.25) == pytest.approx(100.1)
    assert schedule.next_at == pytest.approx(100.2)
    assert schedule.take(100.25) == pytest.approx(100.2)
    assert schedule.take(100.25) is None


def test_what_waits_is_counted_and_keeps_its_moment() -> None:
    """Looking at how many wait changes neither their order nor when they were due."""
    schedule = Arrivals(iter([0.1, 0.2, 0.9]), started=0.0)
    assert [schedule.waiting(now) for now in (0.0, 0.15, 0.5)] == [0, 1, 2]
    assert [schedule.take(0.5) for _ in range(3)] == [0.1, 0.2, None]
    assert schedule.waiting(0.5) == 0


def test_stopping_counts_what_was_never_taken() -> None:
    """What waited and what was still to come is left over, once; then nothing is due any more."""
    schedule = Arrivals(iter([0.1, 0.2, 0.3, 0.4]), started=0.0)
    schedule.take(0.1)
    schedule.waiting(0.2)
    assert schedule.stop() == 3
    assert schedule.stop() == 0
    assert schedule.take(9.0) is None
    assert schedule.next_at == math.inf


def test_a_closed_loop_is_always_due() -> None:
    """Whoever is free sends, until it is stopped; nothing waits and nothing is left over."""
    schedule = AsAnswered()
    assert schedule.take(5.0) == 5.0
    assert schedule.waiting(5.0) == 0
    assert schedule.stop() == 0
    assert schedule.take(5.0) is None
