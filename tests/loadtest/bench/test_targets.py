"""Targets: each with what was reached, met or not."""

from loadtest.bench.targets import targets
from tests.loadtest.bench.reports import report


def test_targets_that_are_met() -> None:
    """Ratios of medians at or above, memory, start and latency below what was wanted."""
    found = {target.title: target for target in targets(report())}
    assert len(found) == 9
    assert all(target.met for target in found.values())
    assert found["digits: unique rows, x FastAPI"].cells[1:] == (">= 3.5", "70", "yes")
    assert found["digits: repeats, x return 200"].reached == "0.5"
    assert found["PSS of a replica with one ONNX model"].reached == "81 MB"


def test_targets_that_are_missed() -> None:
    """A slower Flotilla misses what it falls below, and nothing else."""
    missed = [target.title for target in targets(report(flotilla=0.4)) if not target.met]
    assert missed == ["digits-forest: unique rows, x FastAPI", "digits: repeats, x return 200"]


def test_latency_at_a_rate_that_was_not_held_is_refused() -> None:
    """No p99 is quoted for fewer arrivals than were meant."""
    (missed,) = [target for target in targets(report(held=900.0)) if not target.met]
    assert missed.reached == "refused: the rate wasn't held"
