"""What Linux knows of a process, from /proc: its children, its memory, the processor time it has used.

`usage.py` and the benchmark call it. https://man7.org/linux/man-pages/man5/proc.5.html
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

Value = TypeVar("Value")

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class CpuSeconds(NamedTuple):
    """Processor time, in the process's own code and in the kernel for it."""

    user: float
    system: float


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, itself first; raise OSError where it has ended."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [pid]
    for child in children:
        try:
            found += family(int(child))
        except OSError:
            continue  # it has ended since
    return found


def pss_bytes(pid: int) -> int:
    """Return a process's memory; a page that n processes share counts as the nth part of it."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no Pss in /proc/{pid}/smaps_rollup")


def cpu_seconds(pid: int) -> CpuSeconds:
    """Return what a process has used so far, all its threads together."""
    user, system, _, _ = _times(pid)
    return CpuSeconds(user, system)


def core_wait_seconds(pid: int | str = "self") -> float:
    """Return how long a process's first thread was ready to run and had no core.

    0 where the kernel doesn't say. https://docs.kernel.org/scheduler/sched-stats.html
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def family_cpu_seconds(pid: int) -> float:
    """Return what a process and all that it ever started have used; raise OSError where it has ended.

    What ended meanwhile is in the figure of the process that waited for it, so this only grows.
    """
    return sum(sum(each) for each in _of_family(pid, _times))


def family_pss_bytes(pid: int) -> int:
    """Return the memory of a process and all that it started; raise OSError where it has ended."""
    return sum(_of_family(pid, pss_bytes))


def _of_family(pid: int, read: Callable[[int], Value]) -> list[Value]:
    """Return what is read of each member that is still there; the first one has to be."""
    first, *others = family(pid)
    found = [read(first)]
    for each in others:
        with suppress(OSError, ValueError):  # ended since: its files are gone, or empty
            found.append(read(each))
    return found


def _times(pid: int) -> tuple[float, float, float, float]:
    """Return user and system time, its own and that of the children it has waited for, in seconds."""
    # The second field is the name in brackets, which may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, ended_user, ended_system = (int(each) / TICKS_PER_SECOND for each in fields[11:15])
    return user, system, ended_user, ended_system
