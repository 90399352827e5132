"""What a run used of the machine: the stack's parts come in, what each of them used goes out.

Counters are read before and after a run, nothing meanwhile. `loadtest.sweep` calls it.
"""

from collections.abc import Mapping
from typing import Literal

from loadtest.study.study import Host, Part
from loadtest.usage.cgroups import Cgroup, Reading, find_cgroup
from loadtest.usage.host import host_between, read_ticks
from loadtest.usage.proc import family_cpu_seconds, family_pss_bytes

By = Literal["cgroup", "process"]


class Usage:
    """Reads counters of a stack's parts, given as the id of each one's first process on this host.

    By `cgroup` in containers, by `process` without: a process, and all that it has started.
    """

    def __init__(self, parts: Mapping[str, int], by: By) -> None:
        self._sources: dict[str, Cgroup | _Processes] = {}
        for name, pid in parts.items():
            source = find_cgroup(pid) if by == "cgroup" else _Processes(pid)
            if source is not None:
                self._sources[name] = source
        self.start()

    def start(self) -> None:
        """Read all counters; a run begins."""
        self._before, self._ticks = self._read(), read_ticks()

    def stop(self) -> tuple[dict[str, Part] | None, Host | None]:
        """Return what was used since `start`, by part, and what the machine did.

        A part that has ended is left out. None: no part can be seen from here (the engine is on another
        machine, or in a virtual one), or the system isn't Linux.
        """
        host = host_between(self._ticks, read_ticks())
        after = self._read()
        parts = {
            name: part_between(before, after[name])
            for name, before in self._before.items()
            if name in after
        }
        return parts or None, host

    def _read(self) -> dict[str, Reading]:
        readings = {}
        for name, source in self._sources.items():
            try:
                readings[name] = source.read()
            except (OSError, ValueError):  # ended: its files are gone, or empty
                continue
        return readings


def part_between(before: Reading, after: Reading) -> Part:
    """Return what a part used between two readings. A counter that fell began anew at 0: a restart."""
    if after.cpu_seconds < before.cpu_seconds:
        before = Reading(0.0, 0)
    return Part(
        cpu_seconds=after.cpu_seconds - before.cpu_seconds,
        memory_bytes=after.memory_bytes,
        quota_cpus=after.quota_cpus,
        periods=after.periods - before.periods,
        throttled_periods=after.throttled_periods - before.throttled_periods,
        throttled_seconds=after.throttled_seconds - before.throttled_seconds,
    )


class _Processes:
    """A process and all that it has started: no quota of its own, memory by its share of each page."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def read(self) -> Reading:
        """Return its counters; raise OSError where it has ended."""
        return Reading(family_cpu_seconds(self._pid), family_pss_bytes(self._pid))
