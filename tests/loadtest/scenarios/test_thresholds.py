"""Thresholds in both directions, and what a verdict says."""

import pytest

from loadtest.scenarios.measured import Measured
from loadtest.scenarios.thresholds import Limits, Row, judge, verdict


def measured(ok: int = 99, failed: int = 1, unsent: int = 0, busy: float = 0.2) -> Measured:
    """Return a run whose replies took 1 ms, the failed ones 50 ms."""
    found = Measured()
    for _ in range(ok):
        found.count(0.001, failed=False)
    for _ in range(failed):
        found.count(0.05, failed=True)
    taken = found.take("a")
    found.add("a", {**taken, "busy": busy})
    found.unsent = unsent
    found.versions.update({"m 1": ok, "n 1": 1})
    return found


def missed(rows: list[Row]) -> list[str]:
    """Return the thresholds that weren't kept."""
    return [row.threshold for row in rows if not row.ok]


@pytest.mark.parametrize(
    ("found", "limits", "expected"),
    [
        (measured(), Limits(fail_ratio=0.01), []),
        (measured(), Limits(), ["failed requests"]),
        (measured(ok=0, failed=0), Limits(), ["requests"]),
        (measured(ok=0, failed=0), Limits(p99_ms=1000), ["requests", "p99"]),
        (measured(failed=0, unsent=1), Limits(), ["arrivals not sent"]),
        (measured(failed=0, unsent=1), Limits(fail_ratio=0.02), []),
        (measured(), Limits(0.01, p95_ms=1.1, p99_ms=60), []),
        (measured(ok=90, failed=10), Limits(0.1, p95_ms=49), ["p95"]),
        (measured(ok=90, failed=10), Limits(0.1, p95_ms=51, p99_ms=49), ["p99"]),
        (measured(failed=0, busy=0.89), Limits(), []),
        (measured(failed=0, busy=0.91), Limits(), ["generator's CPU"]),
        (measured(failed=0), Limits(versions=2), ["versions"]),
    ],
)
def test_each_threshold(found: Measured, limits: Limits, expected: list[str]) -> None:
    """Each is kept up to its limit and missed beyond it; two models of one version aren't two."""
    assert missed(judge(found, limits)) == expected


def test_versions_of_one_model() -> None:
    """An update was under load where a model has answered by two versions."""
    found = measured(failed=0)
    found.versions["m 2"] = 1
    assert missed(judge(found, Limits(versions=2))) == []


def test_verdict_names_the_loop() -> None:
    """Whoever reads the figures sees how they were made, and each threshold with both its figures."""
    found = measured()
    rows = judge(found, Limits(fail_ratio=0.02, p99_ms=0.5))
    closed, opened = (verdict(found, rows, [], arrivals) for arrivals in (0, 250))
    assert "closed loop" in closed
    assert "open" not in closed
    assert "open loop: 250 arrivals a second" in opened
    assert "closed" not in opened
    lines = {tuple(line.split()) for line in closed.splitlines()}
    assert ("failed", "requests", "1.00%", "2.00%", "ok") in lines
    assert ("p99", "1.00", "ms", "0.5", "ms", "FAILED") in lines
    assert closed.endswith("\nFAILED")


def test_verdict_of_a_good_run() -> None:
    """It ends with the word, and a trouble makes it a failed one, said once."""
    found = measured(failed=0)
    rows = judge(found, Limits())
    assert verdict(found, rows, [], 0).endswith("\npassed")
    troubled = verdict(found, rows, ["update failed: x", "update failed: x"], 0)
    assert troubled.count("FAILED: update failed: x") == 1
    assert troubled.endswith("\nFAILED")


def test_verdict_tells_of_what_was_not_sent() -> None:
    """Arrivals that no connection was free for are in the text, with the option that bounds them."""
    found = measured(unsent=12)
    text = verdict(found, judge(found, Limits()), [], 100)
    assert "12 arrivals were due and never sent (--max-in-flight)" in text
