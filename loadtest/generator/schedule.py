"""When a request is due: by a schedule (open loop), or whenever a connection is free (closed loop).

Two classes with the same four names, so that there is one loop for both. All times are those of
`time.perf_counter`, which on Linux all processes share.
"""

import math
import random
from collections import deque
from collections.abc import Iterator

from loadtest.generator.plan import Pattern, Plan


def arrivals(
    pattern: Pattern, rate: float, due: int, index: int, processes: int, seed: str
) -> Iterator[float]:
    """Yield when the process `index` of so many has requests due, in seconds, of `due` in all.

    Together the processes' evenly spaced ones are evenly spaced. Those at random are a Poisson process
    of which the count is known: as many moments, uniform over the whole time, drawn in order
    (Devroye, Non-Uniform Random Variate Generation, V.3.3). So the rate is exactly what was asked for,
    and what a run deviates from it is the generator's doing.
    """
    mine = len(range(index, due, processes))
    if pattern == "even":
        yield from (slot / rate for slot in range(index, due, processes))
        return
    seconds, at = due / rate, 0.0
    uniform = random.Random(seed).random
    for left in range(mine, 0, -1):
        at = seconds - (seconds - at) * (1.0 - uniform()) ** (1 / left)
        yield at


class Arrivals:
    """An open loop: what is due waits for a connection, and its latency counts from when it was."""

    def __init__(self, times: Iterator[float], started: float) -> None:
        """Take seconds from the start, in order."""
        self._times = (started + at for at in times)
        self._waiting: deque[float] = deque()
        self.next_at = next(self._times, math.inf)

    def take(self, now: float) -> float | None:
        """Return when the next request was due, which is then another's turn; None where none is."""
        if self._waiting:
            return self._waiting.popleft()
        due = self.next_at
        if due > now:
            return None
        self.next_at = next(self._times, math.inf)
        return due

    def waiting(self, now: float) -> int:
        """Return how many are due and were not taken."""
        while self.next_at <= now:
            self._waiting.append(self.next_at)
            self.next_at = next(self._times, math.inf)
        return len(self._waiting)

    def stop(self) -> int:
        """Let nothing more be due, and return how many were never taken."""
        unsent = len(self._waiting) + (self.next_at < math.inf) + sum(1 for _ in self._times)
        self._waiting.clear()
        self.next_at = math.inf
        return unsent


class AsAnswered:
    """A closed loop: a request is due whenever a connection is free."""

    def __init__(self) -> None:
        self.next_at = -math.inf

    def take(self, now: float) -> float | None:
        """Return now."""
        return now if self.next_at <= now else None

    def waiting(self, now: float) -> int:
        """Return 0: nobody waits who wasn't asked for."""
        return 0

    def stop(self) -> int:
        """Let nothing more be due; nothing is left over."""
        self.next_at = math.inf
        return 0


Schedule = Arrivals | AsAnswered


def schedule_of(plan: Plan, index: int, started: float) -> Schedule:
    """Return the schedule of one of the plan's processes."""
    if plan.rate is None:
        return AsAnswered()
    # By its numbers: a repetition has others, and with them other moments.
    seed, due = f"{plan.first_number} {index}", plan.due or 0
    times = arrivals(plan.arrivals, plan.rate, due, index, plan.processes, seed)
    return Arrivals(times, started)
