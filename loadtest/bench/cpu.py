"""Processor time of each process of the stack for one request, its own code and the kernel's apart.

In: the processes, a run of wrk. Out: microseconds, by process. `profile.py` calls it.
"""

import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loadtest.bench.report import Run
from loadtest.usage.proc import CpuSeconds, cpu_seconds, family

WRK = "wrk, which asks"


@dataclass(frozen=True)
class Cost:
    """Microseconds a request costs in one process and all that it has started."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Return both together."""
        return self.user + self.system


def costs(pids: Mapping[str, int], run: Callable[[], Run], seconds: int) -> tuple[Run, dict[str, Cost]]:
    """Run wrk and return its outcome with what each process, and wrk itself, used meanwhile."""
    before = _usage(pids)
    outcome = run()
    after = _usage(pids)
    requests = outcome.requests_per_second * seconds
    return outcome, {
        name: Cost(
            1e6 * (after[name].user - used.user) / requests,
            1e6 * (after[name].system - used.system) / requests,
        )
        for name, used in before.items()
    }


def _usage(pids: Mapping[str, int]) -> dict[str, CpuSeconds]:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # nothing but wrk ends in between
    used = {WRK: CpuSeconds(ended.ru_utime, ended.ru_stime)}
    for name, pid in pids.items():
        each = [cpu_seconds(member) for member in family(pid)]
        used[name] = CpuSeconds(sum(one.user for one in each), sum(one.system for one in each))
    return used
