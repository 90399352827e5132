"""What the whole machine does: ticks of all its cores, read twice, make shares. `usage.py` calls.

https://man7.org/linux/man-pages/man5/proc_stat.5.html
"""

from pathlib import Path
from typing import NamedTuple

from loadtest.study.study import Host

STAT = Path("/proc/stat")


class Ticks(NamedTuple):
    """Ticks since the machine was started, of all its cores together."""

    cores: int
    total: int
    idle: int
    steal: int


def read_ticks(stat: Path = STAT) -> Ticks | None:
    """Return the ticks so far, None where the system isn't Linux."""
    try:
        lines = [line.split() for line in stat.read_text().splitlines() if line.startswith("cpu")]
    except OSError:
        return None
    # Guests' time, which follows, is in user's already.
    user, nice, system, idle, io_wait, irq, soft_irq, steal = map(int, lines[0][1:9])
    total = user + nice + system + idle + io_wait + irq + soft_irq + steal
    return Ticks(len(lines) - 1, total, idle + io_wait, steal)


def host_between(before: Ticks | None, after: Ticks | None) -> Host | None:
    """Return what the machine did between two looks, None where it can't be known.

    What the hypervisor took for others counts as busy as well: no process here could have had it.
    """
    if before is None or after is None or after.total <= before.total:
        return None
    total = after.total - before.total
    return Host(
        cores=after.cores,
        busy_share=1 - (after.idle - before.idle) / total,
        steal_share=(after.steal - before.steal) / total,
    )
