"""Shapes are tables: what is in a row is what users do."""

import pytest

from loadtest.scenarios.scenarios import SCENARIOS
from loadtest.scenarios.stages import SOAK, SPIKE, STEP, Stage, length_seconds, users_at

TABLE = (Stage(10, 20, 2), Stage(5, 100, 1))


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [
        (0.0, (10, 5.0)),
        (9.9, (10, 5.0)),
        (10.0, (50, 40.0)),
        (14.9, (50, 40.0)),
        (15.0, None),
    ],
)
def test_rows_follow_each_other(elapsed: float, expected: tuple[int, float] | None) -> None:
    """Each row holds its share of the peak for its seconds, and the change takes the time it states."""
    assert users_at(TABLE, elapsed, 50, None) == expected


@pytest.mark.parametrize(("run_seconds", "change"), [(30.0, 1.0), (3.0, 0.2)])
def test_run_time_stretches(run_seconds: float, change: float) -> None:
    """The table takes as long as is asked for; changes get quicker with it, and not slower."""
    at = 10 / 15 * run_seconds
    assert users_at(TABLE, at - 0.01, 50, run_seconds)[0] == 10
    assert users_at(TABLE, at, 50, run_seconds) == (50, pytest.approx(40 / change))
    assert users_at(TABLE, run_seconds, 50, run_seconds) is None


def test_somebody_is_always_there() -> None:
    """A fifth of one user is one user; and a row like the one before changes nothing, at some rate."""
    assert users_at(TABLE, 0, 1, None) == (1, 0.5)
    assert users_at(TABLE, 12, 1, None) == (1, 1.0)


@pytest.mark.parametrize("stages", [STEP, SPIKE, SOAK], ids=["step", "spike", "soak"])
def test_tables_can_be_followed(stages: tuple[Stage, ...]) -> None:
    """No change takes longer than its row, or Locust leaves out the next; the peak is reached."""
    assert all(stage.change_seconds < stage.seconds for stage in stages)
    assert max(stage.percent for stage in stages) == 100


def test_the_shaped_scenarios() -> None:
    """Step, spike and soak have tables of the length that `--help` says; the others have none."""
    shaped = {name: length_seconds(each.stages) for name, each in SCENARIOS.items() if each.stages}
    assert shaped == {"step": 100, "spike": 60, "soak": 1800}
