"""What Linux knows of a process, from /proc: its children, its memory, the processor time it has used.

`replica.py` and `cpu.py` call it. https://man7.org/linux/man-pages/man5/proc.5.html
"""

import os
from pathlib import Path
from typing import NamedTuple

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class CpuSeconds(NamedTuple):
    """Processor time, in the process's own code and in the kernel for it."""

    user: float
    system: float


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, itself first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def pss_bytes(pid: int) -> int:
    """Return a process's memory; a page that n processes share counts as the nth part of it."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no Pss in /proc/{pid}/smaps_rollup")


def cpu_seconds(pid: int) -> CpuSeconds:
    """Return what a process has used so far, all its threads together."""
    # The second field is the name in brackets, which may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return CpuSeconds(int(fields[11]) / TICKS_PER_SECOND, int(fields[12]) / TICKS_PER_SECOND)
