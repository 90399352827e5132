"""Repetitions: what varies too much, or was measured too seldom, is no figure."""

import pytest
from msgspec.structs import replace

from loadtest.checks.repetitions import check_kept, check_repetitions
from loadtest.study.study import Finding, Step, Verdict
from tests.loadtest.checks.judged import SETTINGS, judged
from tests.loadtest.studies import make_run, make_step


def peaks(*rates: float) -> Step:
    """Return a step with runs at these peaks."""
    return Step(replicas=1, runs=[make_run(rate, repetition=i) for i, rate in enumerate(rates, 1)])


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [((500, 505, 510), "ok"), ((460, 500, 540), "marked"), ((350, 500, 650), "refused")],
)
def test_variation(rates: tuple[float, ...], verdict: Verdict) -> None:
    """The coefficient of variation decides."""
    judged(check_repetitions(peaks(*rates), SETTINGS, "peak"), verdict, "3 of 3 runs", "variation")


def test_too_few_are_left() -> None:
    """Refused runs don't count, and where they are missing the figure is marked or gone."""
    step = peaks(500, 505, 900)
    step.runs[2].findings = [Finding("steal", "refused", "taken")]
    judged(check_repetitions(step, SETTINGS, "peak"), "marked", "2 of 3 runs count", "500 to 505")
    step.runs[1].findings = step.runs[2].findings
    judged(check_repetitions(step, SETTINGS, "peak"), "marked", "unknown")
    step.runs[0].findings = step.runs[2].findings
    judged(check_repetitions(step, SETTINGS, "peak"), "refused", "no figure")


def test_few_were_asked_for() -> None:
    """Whoever asks for one or two runs gets them, and the word that they are few."""
    once, twice = replace(SETTINGS, repetitions=1), replace(SETTINGS, repetitions=2)
    judged(check_repetitions(peaks(500), once, "peak"), "ok", "unknown")
    judged(check_repetitions(peaks(500, 501), twice, "peak"), "ok", "few")


def test_the_objective_is_kept() -> None:
    """Each repetition is compared with the objective, and not their mean."""
    step = make_step(2, 900)
    judged(check_kept(step, SETTINGS), "ok", "3 of 3 runs kept p99 under 50 ms")
    slow = make_run(600, purpose="objective", loop="open", latency_seconds=0.2).latency
    step.runs[-1].latency = slow
    judged(check_kept(step, SETTINGS), "marked", "2 of 3", "the longest 2")
    step.runs[-2].latency = slow
    judged(check_kept(step, SETTINGS), "refused", "1 of 3")
    judged(check_kept(peaks(500), SETTINGS), "refused", "no run")
