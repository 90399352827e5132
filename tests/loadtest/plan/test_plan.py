"""A plan: replicas, CPUs and memory by hand; what is beyond the measurements is marked."""

import pytest

from deploy.errors import Refused
from loadtest.law.fit import fit
from loadtest.plan.plan import MOST_REPLICAS, plan
from loadtest.study.study import Server, Study
from tests.loadtest.studies import make_study, usl


def linear(replicas: tuple[int, ...] = (1, 2, 4, 8)) -> Study:
    """Return a study of replicas that give 500 requests/s each, 350 of them within 50 ms."""
    return make_study(replicas, alone=500, sigma=0, kappa=0, noise=0)


@pytest.mark.parametrize(
    ("rps", "replicas"),
    [(1, 1), (340, 1), (360, 2), (690, 2), (710, 3), (1390, 4), (2790, 8), (5000, 15)],
)
def test_replicas_by_hand(rps: float, replicas: int) -> None:
    """350 requests/s each within 50 ms: not the 500 that they give at their peak."""
    assert plan(linear(), rps, 0.05).expected.replicas == replicas


def test_another_p99() -> None:
    """A stricter one needs more replicas, 250 requests/s each; a lax one fewer, 450 each."""
    study = linear()
    assert [plan(study, 1740, p99).expected.replicas for p99 in (0.006, 0.05, 0.2)] == [7, 5, 4]


def test_cpus_and_memory_by_hand() -> None:
    """5 replicas of 0.2 CPU and 110 MB, with nginx and Redis at 0.2 CPU for what each run had."""
    made = plan(linear(), 1740, 0.05)
    beside = made.usage.nginx_seconds
    assert beside
    # Runs are at 500 and 350 a replica, with 1, 2, 4, 8 of them: half have more than 1,200, half less.
    assert beside == pytest.approx((0.2 / 1000 + 0.2 / 1400) / 2)
    assert made.expected.cpus == pytest.approx(5 * 0.2 + 2 * 1740 * beside)
    assert made.expected.memory_bytes == 5 * 110_000_000 + 2 * 20_000_000
    assert made.spare.replicas == 6
    assert made.spare.memory_bytes == 6 * 110_000_000 + 2 * 20_000_000


def test_uncertainty() -> None:
    """Noise opens the interval at both ends; without it the worst is what is expected."""
    made = plan(make_study(sigma=0.02, kappa=0.0, noise=0.05), 2600, 0.05)
    low, expected, high = (each.replicas for each in (made.low, made.expected, made.high))
    assert low
    assert expected
    assert high
    assert low < expected < high
    exact = plan(make_study(sigma=0.02, kappa=0.0, noise=0), 2600, 0.05)
    assert exact.high.replicas == exact.expected.replicas


def test_between_two_rates() -> None:
    """0.7 of the peak was in time and 0.9 wasn't: at best it is nearly that, 450 requests/s each."""
    made = plan(linear(), 2600, 0.05)
    assert made.share == pytest.approx((0.7, 0.7, 0.9), rel=1e-3)
    assert (made.low.replicas, made.expected.replicas, made.high.replicas) == (6, 8, 8)
    lax = plan(linear(), 2600, 0.2)
    assert lax.share == pytest.approx((0.9, 0.9, 0.9), rel=1e-3)
    assert lax.low.replicas == lax.high.replicas == 6


def test_extrapolated() -> None:
    """Beyond the measured numbers of replicas, also below them, it is marked; within it isn't."""
    study = linear((2, 4, 8))
    marks = {rps: plan(study, rps, 0.05).extrapolated for rps in (300, 500, 2790, 2810)}
    assert marks == {300: True, 500: False, 2790: False, 2810: True}


def test_never_enough() -> None:
    """Beyond the peak no number of replicas is enough, and the most that any gives is said."""
    study = make_study((1, 2, 4, 8, 12), sigma=0.05, kappa=0.01, noise=0)
    made = plan(study, 1600, 0.05)
    assert not made.reached
    assert (made.expected.replicas, made.spare.replicas, made.expected.cpus) == (None, None, None)
    # sqrt(0.95 / 0.01) = 9.7; of whole numbers 10 is the best.
    assert made.most_replicas == 10
    assert made.most.value == pytest.approx(0.7 * usl(10, 500, 0.05, 0.01), rel=0.001)
    assert not made.extrapolated
    assert plan(study, made.most.value - 1, 0.05).expected.replicas == 10


def test_at_worst_never_enough() -> None:
    """Where it may be that no number is enough, that is the worst; the likeliest is still given."""
    made = plan(make_study(noise=0.02), 5000, 0.05)
    assert made.reached
    assert made.high.replicas is None
    assert made.extrapolated
    assert made.most.low < 5000
    assert 8 < made.worst_replicas < MOST_REPLICAS


def test_step_that_kept_nothing() -> None:
    """A step without a rate that was slow enough is named, and what is beyond the others is marked."""
    study = linear()
    study.steps[3].runs = [run for run in study.steps[3].runs if run.loop == "closed"]
    made = plan(study, 2000, 0.05)
    assert made.not_kept == [8]
    assert [each.replicas for each in made.kept] == [1, 2, 4]
    assert made.expected.replicas == 6
    assert made.extrapolated


def test_nothing_was_fast_enough() -> None:
    """It is said how fast the fastest was, and how to measure with that p99."""
    with pytest.raises(
        Refused, match=r"p99 1 ms: no run .* 4\.\d+ ms.*flotilla sweep --objective-ms 1"
    ):
        plan(linear(), 100, 0.001)


def test_no_open_loop() -> None:
    """Closed loops alone give no p99 at a rate."""
    study = linear()
    for step in study.steps:
        step.runs = [run for run in step.runs if run.loop == "closed"]
    with pytest.raises(Refused, match="no open-loop run"):
        plan(study, 100, 0.05)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_bad_targets(wrong: float) -> None:
    """Rates and times are numbers above 0."""
    with pytest.raises(Refused, match=f"rps {wrong:g}: expected a number above 0"):
        plan(linear(), wrong, 0.05)
    with pytest.raises(Refused, match=f"p99 {wrong:g}: expected"):
        plan(linear(), 100, wrong)


def test_no_law() -> None:
    """A study that is too small for a law is none to plan with."""
    with pytest.raises(Refused, match="the scaling law needs peaks"):
        plan(linear((1, 2)), 100, 0.05)


def test_unknown_use() -> None:
    """Without measured use there are replicas and their quotas; memory isn't made up."""
    study = linear()
    for step in study.steps:
        for run in step.runs:
            run.server = Server()
    made = plan(study, 690, 0.05, fit(study))
    assert made.expected.replicas == 2
    assert made.expected.cpus == pytest.approx(0.4)
    assert made.expected.memory_bytes is None
