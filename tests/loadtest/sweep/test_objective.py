"""Whether a run kept the objective: all that were due count, not only what was answered."""

import pytest

from loadtest.histogram import Histogram
from loadtest.study.study import Run, Settings
from loadtest.sweep.objective import kept, nearly_kept
from tests.loadtest.studies import make_run

SETTINGS = Settings(stack="local", model="m", version=1, replicas=(1,), objective_seconds=0.05)


def run(quick: int, slow: int = 0, **changed: int) -> Run:
    """Return a run with so many replies in time and too late, other counts changed."""
    made = make_run(100.0, loop="open")
    made.latency = Histogram.of([0.01] * quick + [0.09] * slow).encode()
    made.sent = made.ok = quick + slow
    for name, value in changed.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (run(990, 10), True),
        (run(989, 11), False),
        (run(1000), True),
        (run(995, sent=1000, lost=5), True),
        (run(985, sent=1000, lost=15), False),
        (run(985, unsent=15), False),
        # Quick refusals are in the histogram, and are no answers.
        (run(1000, ok=985, failed=15), False),
        (run(1000, ok=995, failed=5), True),
        (run(0, sent=10, lost=10), False),
    ],
)
def test_kept(case: Run, expected: bool) -> None:
    """99 % of what was due has to be right and in time; lost, unsent and wrong ones aren't."""
    assert kept(case, SETTINGS) is expected


@pytest.mark.parametrize(
    ("case", "expected"),
    [(run(1000), False), (run(900, 100), True), (run(900, sent=1000, lost=100), False)],
)
def test_nearly_kept(case: Run, expected: bool) -> None:
    """What was a little late may be a hiccup; what was kept isn't, nor what was lost."""
    assert nearly_kept(case, SETTINGS) is expected
