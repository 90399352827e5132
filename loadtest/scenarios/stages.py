"""Shapes as small tables: how many users there are when, in percent of the peak (`--users`).

`--run-time` stretches a table to its length. After Locust's examples/custom_shape/stages.py.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Stage(NamedTuple):
    """So many seconds with so many percent of the users, who come or go within `change_seconds`."""

    seconds: float
    percent: float
    change_seconds: float


# One stage for as long as the run lasts: users come at --spawn-rate.
STEADY: tuple[Stage, ...] = ()
STEP = (
    Stage(20, 20, 1),
    Stage(20, 40, 1),
    Stage(20, 60, 1),
    Stage(20, 80, 1),
    Stage(20, 100, 1),
)
SPIKE = (
    Stage(20, 20, 1),
    Stage(20, 100, 1),
    Stage(20, 20, 1),
)
SOAK = (
    Stage(60, 100, 50),
    Stage(1740, 100, 50),
)


def length_seconds(stages: Sequence[Stage]) -> float:
    """Return how long a table takes by itself."""
    return sum(stage.seconds for stage in stages)


def users_at(
    stages: Sequence[Stage], elapsed_seconds: float, peak: int, run_seconds: float | None
) -> tuple[int, float] | None:
    """Return users and how many of them come or go in a second; None when the table is over.

    At least one user is there all the time. `run_seconds` of None leaves the table as long as it is.
    """
    stretch = run_seconds / length_seconds(stages) if run_seconds else 1.0
    ends, before = 0.0, 0
    for stage in stages:
        ends += stage.seconds * stretch
        users = max(1, round(peak * stage.percent / 100))
        if elapsed_seconds < ends:
            return users, max(abs(users - before), 1) / (stage.change_seconds * min(stretch, 1.0))
        before = users
    return None
