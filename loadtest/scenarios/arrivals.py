"""When requests are due, by chance and whatever becomes of the ones before: a Poisson process.

Each user has a process of its own with a share of the rate, and all of them together are one with the
whole rate. Latencies count from when a request was due, so that a stall shows in all that it delays.
"""

import random
from collections.abc import Callable

# What became due so shortly before the end wasn't late yet.
GRACE_SECONDS = 0.05


class Arrivals:
    """The arrivals of one user; times are those of `clock`, in seconds."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        """Take the arrivals a second; the first one comes by chance as well."""
        self._rate, self._clock = rate, clock
        self.due = clock() + random.expovariate(rate)

    def wait_seconds(self) -> float:
        """Return how long it is until the next one, 0 where it is due."""
        return max(0.0, self.due - self._clock())

    def take(self) -> float:
        """Return when this one was due, and go on to the next one."""
        due = self.due
        self.due += random.expovariate(self._rate)
        return due

    def overdue(self) -> int:
        """Take all that are due and weren't sent, and return how many these are."""
        count, now = 0, self._clock() - GRACE_SECONDS
        while self.due < now:
            self.take()
            count += 1
        return count
