"""The figures of a step: what its checks refuse is no measure for the others, and says so."""

import pytest

from loadtest.study.figures import doubted, efficiency, verdict
from loadtest.study.study import Finding, Study, Verdict
from tests.loadtest.studies import make_study


def doubted_study(text: str) -> Study:
    """Return a study whose smallest step's checks refuse something."""
    study = make_study((1, 2, 4), sigma=0.0, kappa=0.0, noise=0.0)
    for run in study.steps[0].runs:
        run.ok *= 2
    study.steps[0].findings = [Finding("repetitions", "refused", text)]
    return study


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("peak: 2 of 3 runs count", {"peak"}),
        ("objective: none kept it", {"objective"}),
        ("no replica answered", {"peak", "objective"}),
    ],
)
def test_a_finding_names_its_figure(text: str, figures: set[str]) -> None:
    """What begins with a figure's name is about that one alone, the rest about both."""
    step = doubted_study(text).steps[0]
    assert doubted(step) == figures
    assert verdict(step) == "refused"


def test_a_refused_peak_is_no_measure() -> None:
    """Efficiency is of the smallest step that counts; a doubtful objective doesn't matter to it."""
    assert efficiency(doubted_study("peak: no")) == pytest.approx({1: 2.0, 2: 1.0, 4: 1.0}, abs=0.01)
    assert efficiency(doubted_study("objective: no")) == pytest.approx(
        {1: 1.0, 2: 0.5, 4: 0.5}, abs=0.01
    )


def test_efficiency_without_a_step_that_counts() -> None:
    """Where all are refused, or nothing was answered, there is still a figure, or none at all."""
    study = doubted_study("peak: no")
    study.steps = study.steps[:1]
    assert efficiency(study) == {1: 1.0}
    for run in study.steps[0].runs:
        run.ok = 0
    assert efficiency(study) == {}


@pytest.mark.parametrize(
    ("found", "expected"), [("ok", "ok"), ("marked", "marked"), ("refused", "marked")]
)
def test_a_run_among_others_only_marks(found: Verdict, expected: Verdict) -> None:
    """One run of three that is refused leaves a figure of the others: it is to be read with care."""
    step = make_study((1,)).steps[0]
    step.runs[1].findings = [Finding("steal", found, "text")]
    assert verdict(step) == expected
    for run in step.runs:
        run.findings = [Finding("steal", "refused", "text")]
    assert verdict(step) == "refused"
