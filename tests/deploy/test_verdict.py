"""Verdicts on canaries: a limit breaches beyond it and not at it, few requests are no verdict."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.figures import Answers, Figures, Shadowed
from deploy.verdict import Thresholds, Verdict, judge
from service.settings import SettingError

LIMITS = Thresholds()
LIVE = Figures(10_000, 0.001, 0.02, 0.006, 0.006, Answers({"a": 5000, "b": 5000}, 10_000))
GOOD = replace(LIVE, requests=1000, answers=Answers({"a": 490, "b": 510}, 1000))


def verdict(live: Figures = LIVE, before: Figures | None = LIVE, **canary: Any) -> Verdict:
    """Judge a canary that is as good as the live version but for what is given."""
    return judge(live, replace(GOOD, **canary), LIMITS, before)


def breach(**more: Any) -> str:
    """Return the one breach of a canary."""
    found = verdict(**more)
    assert found.outcome == "breach"
    (sentence,) = found.breaches
    return sentence


def test_as_good() -> None:
    """A canary with the live version's figures passes, and the summary has them all."""
    found = verdict(shadowed=Shadowed(1000, 10, 1000, 0))
    assert (found.outcome, found.breaches, found.enough) == ("pass", [], True)
    assert found.summary == (
        "requests 1,000 (10,000), errors 0.1 % (0.1 %), refused 2 % (2 %), p99 6.0 ms (6.0 ms), "
        "disagreement 1 %, failed as shadow 0 %, drift 0.01"
    )
    assert [line.figure for line in found.lines] == [
        "requests",
        "errors",
        "refused",
        "p99",
        "disagreement",
        "failed as shadow",
        "drift",
    ]


def test_too_few() -> None:
    """With fewer requests than the limit nothing is said, however bad they are."""
    bad = {"error_rate": 1.0, "p99_seconds": 9.0, "p99_low_seconds": 9.0}
    found = verdict(requests=99, **bad)
    assert (found.outcome, found.breaches, found.enough) == ("too few", [], False)
    assert found.summary.startswith("requests 99 (10,000), errors 100 %")
    assert found.summary.endswith(": too few to judge")
    assert len(verdict(requests=100, **bad).breaches) == 2


def test_nothing_known() -> None:
    """Without any figures there is no verdict, and nothing fails."""
    found = judge(Figures(0.0), Figures(0.0), LIMITS)
    assert (found.outcome, found.summary) == (
        "too few",
        "requests 0 (0), errors 0 % (0 %), refused 0 % (0 %): too few to judge",
    )


def test_errors() -> None:
    """More errors than the live version's, and one percent."""
    assert verdict(error_rate=0.011).outcome == "pass"
    assert breach(error_rate=0.012) == (
        "1.2 % of its requests fail with 5xx, of the live version's 0.1 %: at most 1 % more is allowed"
    )
    assert verdict(live=replace(LIVE, error_rate=0.5), error_rate=0.5).outcome == "pass"


def test_refusals() -> None:
    """More refusals than the live version's, by five percent that can't be chance."""
    assert verdict(refused_rate=0.07).outcome == "pass"
    assert verdict(refused_rate=0.08).outcome == "pass", "that may be chance, with 1,000 requests"
    assert verdict(refused_rate=0.08, requests=100_000).outcome == "breach"
    assert breach(refused_rate=0.2) == (
        "20 % of its requests are refused with 4xx, of the live version's 2 %: "
        "at most 5 % more is allowed"
    )


def test_p99() -> None:
    """More than twice the live version's p99."""
    assert verdict(p99_seconds=0.012, p99_low_seconds=0.012).outcome == "pass"
    assert breach(p99_seconds=0.061, p99_low_seconds=0.05) == (
        "p99 is 61 ms, the live version's is 6.0 ms: 10 times as much, at most 2 times is allowed"
    )


def test_p99_that_may_be_chance() -> None:
    """One slow request of a hundred is no breach: what counts is what p99 is at least."""
    assert verdict(p99_seconds=2.0, p99_low_seconds=0.012).outcome == "pass"
    assert breach(p99_seconds=2.0, p99_low_seconds=0.0121).startswith("p99 is 2 s")


def test_p99_below_the_floor() -> None:
    """A p99 below five milliseconds is good, whatever the live version's is."""
    quick = replace(LIVE, p99_seconds=0.0001)
    assert verdict(quick, quick, p99_seconds=0.005, p99_low_seconds=0.005).outcome == "pass"
    assert breach(live=quick, before=quick, p99_seconds=0.0051, p99_low_seconds=0.0051).startswith(
        "p99 is 5.1 ms, the live version's is 0.10 ms: 51 times"
    )


def test_p99_before() -> None:
    """A canary that slows the live version too is held against what that was before, and vice versa."""
    slow = replace(LIVE, p99_seconds=0.1)
    assert verdict(slow, slow, p99_seconds=0.1, p99_low_seconds=0.1).outcome == "pass"
    assert breach(live=slow, before=LIVE, p99_seconds=0.1, p99_low_seconds=0.1).startswith("p99")
    assert breach(live=LIVE, before=slow, p99_seconds=0.1, p99_low_seconds=0.1).startswith("p99")
    assert verdict(slow, None, p99_seconds=0.1, p99_low_seconds=0.1).outcome == "pass"


def test_disagreement() -> None:
    """More than five percent of the rows, as far as it isn't chance."""
    assert verdict(shadowed=Shadowed(1000, 50, 1000, 0)).outcome == "pass"
    assert verdict(shadowed=Shadowed(1000, 60, 1000, 0)).outcome == "pass", "that may be chance"
    assert verdict(shadowed=Shadowed(99, 99, 99, 0)).outcome == "pass", "of so few rows nothing is said"
    assert verdict(shadowed=Shadowed(100, 99, 100, 0)).outcome == "breach"
    assert breach(shadowed=Shadowed(1000, 120, 1000, 0)) == (
        "it answers 120 of 1,000 rows otherwise than the live version (12 %): at most 5 % is allowed"
    )


def test_failures_as_shadow() -> None:
    """They are told, and are no breach: a call fails with all of its rows."""
    found = verdict(shadowed=Shadowed(600, 0, 1000, 400))
    assert found.outcome == "pass"
    assert "failed as shadow 40 %" in found.summary


def test_drift_of_labels() -> None:
    """Labels that are distributed otherwise by more than 0.2 and chance."""
    assert verdict(answers=Answers({"a": 700, "b": 300}, 1000)).outcome == "pass"
    assert verdict(answers=Answers({"a": 72, "b": 28}, 100)).outcome == "pass", "that may be chance"
    said = breach(answers=Answers({"a": 960, "b": 40}, 1000))
    assert said.startswith(
        "its labels are distributed otherwise, 0.46 apart (0 is alike, 1 disjoint): "
    )
    assert "at most 0.2 is allowed, and 0.0" in said
    assert breach(answers=Answers({"c": 100}, 100)).startswith("its labels")
    assert verdict(answers=Answers({"c": 99}, 99)).outcome == "pass", "of so few rows nothing is said"


def numbers(rows: float, mean: float, deviation: float) -> Answers:
    """Return answers of numbers."""
    return Answers({}, rows, rows * mean, rows * (mean**2 + deviation**2))


def test_drift_of_numbers() -> None:
    """Means that are more than 0.2 standard deviations of the live version's apart, and chance."""
    live = replace(LIVE, answers=numbers(10_000, -10, 2))
    assert verdict(live, answers=numbers(1000, -10.4, 2)).outcome == "pass"
    assert verdict(live, answers=numbers(100, -10.6, 2)).outcome == "pass", "that may be chance"
    assert breach(live=live, answers=numbers(1000, -12, 2)) == (
        "the mean of its answers is -12, the live version's is -10: 1 standard deviations apart: "
        "at most 0.2 is allowed, and 0.065 for chance"
    )


def test_drift_that_is_none() -> None:
    """Nothing is said of answers that aren't numbers, aren't there or aren't of one kind."""
    live = replace(LIVE, answers=numbers(1000, 1, 1))
    for answers in (numbers(1000, float("nan"), 1), Answers(), Answers({"a": 1000}, 1000)):
        assert verdict(live, answers=answers).outcome == "pass"


def test_live_version_that_answers_no_more() -> None:
    """Once the canary has all requests it is held against what the live version was before."""
    gone = Figures(3.0, 1.0, 1.0, 9.0, 9.0, Answers({"b": 3}, 3))
    assert judge(gone, GOOD, LIMITS, LIVE).outcome == "pass"
    worse = replace(GOOD, error_rate=0.5, p99_seconds=1.0, p99_low_seconds=1.0, refused_rate=0.5)
    assert len(judge(gone, worse, LIMITS, LIVE).breaches) == 3
    assert judge(gone, replace(worse, error_rate=0.0, refused_rate=0.0), LIMITS).outcome == "pass"


@pytest.mark.parametrize(
    ("name", "canary"),
    [
        ("CANARY_MAX_ERROR_RATE", {"error_rate": 0.3}),
        ("CANARY_MAX_REFUSED_RATE", {"refused_rate": 0.3}),
        ("CANARY_MAX_P99_RATIO", {"p99_seconds": 0.03, "p99_low_seconds": 0.03}),
        ("CANARY_MIN_P99_SECONDS", {"p99_seconds": 0.03, "p99_low_seconds": 0.03}),
        ("CANARY_MAX_DISAGREEMENT", {"shadowed": Shadowed(1000, 300, 0, 0)}),
        ("CANARY_MAX_DRIFT", {"answers": Answers({"a": 1000}, 1000)}),
    ],
)
def test_every_limit_can_be_set(name: str, canary: dict[str, Any]) -> None:
    """Each limit is a setting, and a generous one lets pass what the default doesn't."""
    wide = Thresholds.read({name: "1" if "RATIO" not in name else "10"})
    assert judge(LIVE, replace(GOOD, **canary), LIMITS).outcome == "breach"
    assert judge(LIVE, replace(GOOD, **canary), wide).outcome == "pass"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CANARY_MAX_ERROR_RATE", "1.1"),
        ("CANARY_MAX_DISAGREEMENT", "5%"),
        ("CANARY_MAX_P99_RATIO", "0.5"),
        ("CANARY_MIN_REQUESTS", "0"),
        ("CANARY_MAX_DRIFT", "-1"),
    ],
)
def test_limit_out_of_bounds(name: str, value: str) -> None:
    """A limit that can't be meant is refused by its name."""
    with pytest.raises(SettingError, match=name):
        Thresholds.read({name: value})
