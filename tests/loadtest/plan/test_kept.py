"""The rate that keeps a p99: the highest of open loops that was fast enough, counting what failed."""

from math import inf

import pytest

from loadtest.histogram import Histogram
from loadtest.plan.kept import Kept, fastest, kept_rate, kept_rates, p99_of
from loadtest.study.study import Finding, Purpose, Run, Step
from tests.loadtest.studies import make_run, make_step, make_study


def open_run(rate: float, p99_seconds: float, purpose: Purpose = "search") -> Run:
    """Return a run at a rate, all of whose replies took `p99_seconds`."""
    run = make_run(rate, purpose=purpose, loop="open")
    run.latency = Histogram.of([p99_seconds] * 1000).encode()
    return run


def rate_of(step: Step, p99_seconds: float) -> float | None:
    """Return the rate that was kept; its peak is measured as well."""
    step.runs.append(make_run(500))
    kept = kept_rate(step, p99_seconds)
    return kept and kept.rate


@pytest.mark.parametrize(
    ("p99_seconds", "rate"),
    [(0.003, None), (0.004, None), (0.0049, 250), (0.01, 350), (0.08, 350), (0.11, 450), (5, 450)],
)
def test_of_a_made_step(p99_seconds: float, rate: float | None) -> None:
    """Rates are 0.5, 0.7 and 0.9 of the peak, with 4, 8 and 90 ms give or take a fifth."""
    assert rate_of(make_step(1, 500, noise=0), p99_seconds) == rate


def test_runs_at_the_same_rate() -> None:
    """Of repetitions the median decides: one that was slow doesn't, two of three do."""
    slow, fast = open_run(300, 0.2), open_run(300, 0.01)
    step = Step(replicas=1, runs=[open_run(200, 0.01), fast, slow, fast])
    assert rate_of(step, 0.05) == 300
    step.runs.append(slow)
    step.runs.append(slow)
    assert rate_of(step, 0.05) == 200


def test_what_does_not_count() -> None:
    """Closed loops and refused runs keep nothing, however fast."""
    refused = open_run(400, 0.001)
    refused.findings = [Finding("generator", "refused", "it was late")]
    step = Step(replicas=1, runs=[make_run(500), refused])
    assert rate_of(step, 1) is None
    step.runs.append(open_run(100, 0.01))
    assert rate_of(step, 1) == 100


def test_right_replies_a_second() -> None:
    """What was kept is what was answered, not what was asked for."""
    run = open_run(300, 0.01)
    run.rate, run.ok, run.failed = 310, 2990, 10
    assert rate_of(Step(replicas=1, runs=[run]), 0.05) == 299


@pytest.mark.parametrize(
    ("ok", "failed", "lost", "unsent", "within"),
    [
        (1000, 0, 0, 0, 0.010),
        (995, 5, 0, 0, 0.020),
        (995, 0, 5, 0, 0.020),
        (1000, 0, 0, 5, 0.020),
        (980, 20, 0, 0, inf),
        (980, 0, 20, 0, inf),
        (1000, 0, 0, 20, inf),
    ],
)
def test_what_failed_was_not_in_time(
    ok: int, failed: int, lost: int, unsent: int, within: float
) -> None:
    """Of what was due 99 % need a right reply: what failed, was lost or never sent wasn't in time."""
    run = make_run(100, loop="open")
    run.sent, run.ok, run.failed, run.lost, run.unsent = ok + failed + lost, ok, failed, lost, unsent
    whole = ok + failed
    run.latency = Histogram.of([0.010] * (whole - 9) + [0.020] * 9).encode()
    assert p99_of(run) == pytest.approx(within, rel=0.001)


def test_missed() -> None:
    """The next rate that was asked for, and wasn't in time, bounds what could be kept."""
    late = open_run(400, 0.2)
    late.ok = 2000  # it was overloaded: what it gave in the end isn't what was asked for
    step = Step(replicas=2, runs=[make_run(500), open_run(300, 0.01), late, open_run(450, 0.3)])
    assert kept_rate(step, 0.05) == Kept(2, 300.0, 0.6, missed=0.8)
    assert kept_rate(step, 0.5) == Kept(2, 450.0, 0.9, missed=None)


def test_without_a_peak() -> None:
    """What share it is can't be told without a peak, so nothing is."""
    assert kept_rate(Step(replicas=1, runs=[open_run(300, 0.01)]), 0.05) is None


def test_study() -> None:
    """Each measured step is told, but not those at which no rate was slow enough."""
    study = make_study((1, 2, 4), noise=0)
    assert kept_rates(study, 0.05, (1, 4)) == [
        kept_rate(study.steps[0], 0.05),
        kept_rate(study.steps[2], 0.05),
    ]
    study.steps[2].runs = [make_run(500)]
    assert [each.replicas for each in kept_rates(study, 0.05, (1, 2, 4))] == [1, 2]
    assert kept_rates(study, 0.001, (1, 2, 4)) == []


def test_fastest() -> None:
    """The fastest run of all is found, none where no loop was open."""
    assert fastest(make_study((1, 2))) == pytest.approx(0.0048, rel=0.02)
    assert fastest(make_study(())) is None
