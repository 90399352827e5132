"""Two studies side by side: what has changed is said in both directions, and noise is no change."""

import random
from pathlib import Path

import pytest
from msgspec.structs import replace
from scipy.stats import ttest_ind

from loadtest.report.change import Kind, change, welch
from loadtest.report.comparison import CPU, P99, PEAK, WITHIN, Comparison, compare
from loadtest.report.comparison_page import markdown, write_comparison
from loadtest.study.study import Finding, Study
from tests.loadtest.report.odd_studies import (
    HOSTILE,
    all_refused,
    hostile,
    nothing,
    one_step,
    without_server,
)
from tests.loadtest.report.pages import Page
from tests.loadtest.studies import make_study

EVEN = [1000.0, 1001.0, 999.0]


def verdicts(comparison: Comparison, name: str) -> list[str]:
    """Return the verdicts of a figure, by steps."""
    return [each.verdict for each in comparison.changes if each.name == name]


def noisy(seed: int, alone: float = 500.0, name: str = "made") -> Study:
    """Return a study whose repetitions differ by some percent, other ones for each seed."""
    study = make_study(alone=alone, name=name)
    source = random.Random(seed)
    for step in study.steps:
        for run in step.runs:
            run.ok = round(run.ok * (1 + 0.03 * source.uniform(-1, 1)))
    return study


@pytest.mark.parametrize(
    ("kind", "factor", "verdict", "text"),
    [
        ("rate", 1.12, "better", "faster by 12.0 % (95 %: 11.7 to 12.3)"),
        ("rate", 0.88, "worse", "slower by 12.0 % (95 %: 11.8 to 12.2)"),
        ("latency", 1.12, "worse", "longer by 12.0 %"),
        ("latency", 0.88, "better", "shorter by 12.0 %"),
        ("cost", 1.12, "worse", "more by 12.0 %"),
        ("cost", 0.88, "better", "less by 12.0 %"),
        ("rate", 1.0, "same", "no difference beyond the noise (±0.2 %)"),
        ("rate", 1.01, "same", "no difference that counts (+1.0 %"),
    ],
)
def test_a_change_is_said_in_words(kind: Kind, factor: float, verdict: str, text: str) -> None:
    """More is better for rates and worse for the rest; a small one isn't called a change."""
    found = change(4, "a figure", kind, EVEN, [factor * each for each in EVEN])
    assert found.verdict == verdict
    assert found.text.startswith(text)


def test_noise_is_no_change() -> None:
    """Ten percent more is nothing, where repetitions differ by twenty."""
    before = [800.0, 1000.0, 1200.0]
    found = change(1, PEAK, "rate", before, [1.1 * each for each in before])
    assert found.verdict == "same"
    assert "beyond the noise" in found.text


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ([1000.0], [1100.0], "one repetition shows no noise"),
        ([], EVEN, "only one of them has it"),
        ([0.0, 1000.0], EVEN, "a repetition gives nothing"),
    ],
)
def test_what_cannot_be_told_says_why(before: list[float], after: list[float], why: str) -> None:
    """Without repetitions on both sides there is no verdict, in neither direction."""
    for pair in ((before, after), (after, before)):
        found = change(1, PEAK, "rate", *pair)
        assert (found.verdict, found.text) == ("unknown", f"can't be told: {why}")


def test_interval_is_welchs() -> None:
    """The interval excludes 1 exactly where Welch's test, as scipy has it, refuses equality."""
    import math

    source = random.Random(7)
    for _ in range(50):
        before = [source.gauss(100, 5) for _ in range(3)]
        after = [source.gauss(108, 9) for _ in range(4)]
        _, low, high = welch(before, after)
        logs = [[math.log(each) for each in values] for values in (before, after)]
        significant = ttest_ind(*logs, equal_var=False).pvalue < 0.05
        assert significant == (not low <= 1 <= high)


def test_repetitions_without_noise_have_an_interval_of_a_point() -> None:
    """Equal values don't divide by zero."""
    assert welch([100.0, 100.0], [110.0, 110.0]) == pytest.approx((1.1, 1.1, 1.1))


def test_a_faster_study_is_faster_and_the_other_way_round() -> None:
    """The same two studies, seen from either side, say the same."""
    slow, fast = noisy(1, 500.0, "slow"), noisy(2, 600.0, "fast")
    there, back = compare(slow, fast), compare(fast, slow)
    assert verdicts(there, PEAK) == ["better"] * 4
    assert verdicts(back, PEAK) == ["worse"] * 4
    assert there.verdict.startswith("Peak of fast against slow: faster with 1, 2, 4, 8 (")
    assert "slower with 1, 2, 4, 8 (" in back.verdict
    assert verdicts(there, CPU) == ["better"] * 4
    assert not there.slower(5)
    assert {each.name for each in back.slower(5)} == {PEAK}
    assert not back.slower(30)


def test_twice_the_same_is_no_difference() -> None:
    """Studies of one thing that differ by their noise have no verdict at any step."""
    found = compare(noisy(1), noisy(2))
    assert set(verdicts(found, PEAK)) == {"same"}
    assert "no difference with 1, 2, 4, 8." in found.verdict
    assert not found.slower(0)


def test_rate_within_the_objective_is_as_coarse_as_its_search() -> None:
    """Repetitions at one rate are even, yet the true limit lies anywhere up to the next rate tried."""
    before, after = make_study((1,), noise=0), make_study((1,), alone=520, noise=0)
    for study in (before, after):
        for run in study.steps[0].runs:
            if run.purpose == "objective":
                run.ok += run.repetition
    [within] = [each for each in compare(before, after).changes if each.name == WITHIN]
    assert within.verdict == "same"
    faster = make_study((1,), alone=1000, noise=0)
    [within] = [each for each in compare(before, faster).changes if each.name == WITHIN]
    assert within.verdict == "better"


def test_rates_within_another_objective_are_not_held_side_by_side() -> None:
    """What is kept within a second is more than within 50 ms; peaks have no objective."""
    before, after = make_study((1,)), make_study((1,), alone=1000)
    after.settings = replace(after.settings, objective_seconds=1.0)
    found = {each.name: each for each in compare(before, after).changes}
    assert found[WITHIN].text == "can't be told: for another objective"
    assert found[PEAK].verdict == "better"


def test_latencies_of_other_rates_are_not_held_side_by_side() -> None:
    """A p99 at twice the rate is no slower server; at the same rate it can be."""
    apart = compare(make_study((1,)), make_study((1,), alone=1000))
    assert [each.text for each in apart.changes if each.name == P99] == [
        "can't be told: at another rate"
    ]
    assert verdicts(compare(make_study((1,)), make_study((1,))), P99) == ["same"]


@pytest.mark.parametrize(
    ("change_it", "said"),
    [
        (lambda study: setattr(study, "hardware", study.hardware | {"cpu": "Another"}), "other cpu"),
        (lambda study: setattr(study, "hardware", {}), "other cores: 8 and unknown"),
        (
            lambda study: setattr(
                study,
                "settings",
                type(study.settings)(stack="local", model="iris", version=1, replicas=(1,), rows=8),
            ),
            "other model: digits-forest and iris",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(change_it: object, said: str) -> None:
    """Another machine, model or quota is named; another commit is what a comparison is for."""
    assert callable(change_it)
    other = make_study()
    change_it(other)
    assert any(said in each for each in compare(make_study(), other).incomparable)


def test_another_commit_is_only_mentioned() -> None:
    """Comparing two commits is the purpose; the load of the moment is no difference at all."""
    other = make_study((1, 2))
    other.hardware |= {"commit": "1111111", "load before": "3.0"}
    found = compare(make_study(), other)
    assert not found.incomparable
    assert "other commit: 0000000 and 1111111" in found.also
    assert "only made has 4, 8 replicas" in found.also
    assert not any("load" in each for each in found.also)


@pytest.mark.parametrize("make", [nothing, one_step, all_refused, without_server, hostile])
def test_odd_studies_can_be_compared(make: object, tmp_path: Path) -> None:
    """Whatever one of the two lacks, the page is written and the texts in it are only text."""
    assert callable(make)
    for pair in ((make(), make_study((1, 2))), (make_study((1, 2)), make())):
        page = Page(write_comparison(compare(*pair), tmp_path).read_text())
        assert all(each.startswith("#") for each in page.loaded)
        assert "script" not in page.tags
    if make is hostile:
        assert HOSTILE in page.text


def test_page_and_markdown_have_each_change(tmp_path: Path) -> None:
    """A line for each figure of each step, with its verdict, in both."""
    found = compare(noisy(1, 500, "slow"), noisy(2, 600, "fast"))
    rows = Page(write_comparison(found, tmp_path).read_text()).rows("replicas")
    assert [row[-1] for row in rows] == [each.text for each in found.changes]
    assert markdown(found).count("\n| ") == 2 + len(found.changes)


def test_markdown_is_text_whatever_it_is_about() -> None:
    """A study's name makes no further column and no HTML."""
    text = markdown(compare(hostile(), make_study((1, 2))))
    assert "<script" not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_what_checks_refuse_is_no_evidence() -> None:
    """A peak that its step's checks refuse can't be faster or slower; the others still can."""
    slow, fast = noisy(1, 500.0), noisy(2, 600.0)
    fast.steps[2].findings = [Finding("repetitions", "refused", "peak: 3 runs differ")]
    found = compare(slow, fast)
    assert verdicts(found, PEAK) == ["better", "better", "unknown", "better"]
    assert "can't be told with 4" in found.verdict
    assert verdicts(found, CPU)[2] == "unknown"
