"""What the kernel counts for a container: a process's id comes in, its cgroup's counters go out.

Both versions, and the mixture of them: where a controller has a hierarchy of its own, as in v1, that
is the one in force. `usage.py` calls it. https://docs.kernel.org/admin-guide/cgroup-v2.html and
https://docs.kernel.org/scheduler/sched-bwc.html
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from loadtest.usage.proc import family_pss_bytes

PROC = Path("/proc")
# A process of this id may be another one than the engine means: the engine's may be in a virtual
# machine, or far away. Only a folder that is named after a container is one's.
CONTAINER = re.compile(r"[0-9a-f]{64}")
NO_QUOTA = ("max", "-1")


class Reading(Struct, frozen=True):
    """Counters of a part so far, and what it has now; the names are those of `study.Part`.

    `memory_bytes` is what `docker stats` shows: all that is charged to it, but for pages of files that
    nobody has used lately.
    """

    cpu_seconds: float
    memory_bytes: int
    quota_cpus: float | None = None
    periods: int = 0
    throttled_periods: int = 0
    throttled_seconds: float = 0.0


class Cgroup(NamedTuple):
    """Where a container's counters are: folders by controller, one and the same in version 2."""

    pid: int
    unified: bool
    cpu: Path
    cpuacct: Path
    memory: Path

    def read(self) -> Reading:
        """Return its counters; raise OSError where it has ended."""
        stat = _flat(self.cpu / "cpu.stat")
        if self.unified:
            throttled, used = stat.get("throttled_usec", 0) / 1e6, stat["usage_usec"] / 1e6
        else:
            throttled = stat.get("throttled_time", 0) / 1e9
            used = int((self.cpuacct / "cpuacct.usage").read_text()) / 1e9
        return Reading(
            cpu_seconds=used,
            memory_bytes=self._memory_bytes(),
            quota_cpus=self._quota_cpus(),
            periods=stat.get("nr_periods", 0),
            throttled_periods=stat.get("nr_throttled", 0),
            throttled_seconds=throttled,
        )

    def _quota_cpus(self) -> float | None:
        try:
            if self.unified:
                quota, period = (self.cpu / "cpu.max").read_text().split()
            else:
                quota, period = (
                    (self.cpu / f"cpu.cfs_{name}_us").read_text().strip()
                    for name in ("quota", "period")
                )
        except FileNotFoundError:
            return None  # nothing above it hands the controller down, so there is none to be had
        return None if quota in NO_QUOTA else int(quota) / int(period)

    def _memory_bytes(self) -> int:
        usage = "memory.current" if self.unified else "memory.usage_in_bytes"
        idle = "inactive_file" if self.unified else "total_inactive_file"
        try:
            charged = int((self.memory / usage).read_text())
        except FileNotFoundError:
            # Some kernels, a Raspberry Pi's for one, start without the controller.
            return family_pss_bytes(self.pid)
        return charged - _flat(self.memory / "memory.stat").get(idle, 0)


def find_cgroup(pid: int, proc: Path = PROC) -> Cgroup | None:
    """Return the cgroup of the container that a process is in, None where it can't be seen."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
        mounts = _mounts((proc / "self" / "mountinfo").read_text())
    except OSError:
        return None
    paths = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    folders = {
        name: mount.folder / os.path.relpath(paths[name], mount.root)
        for name, mount in mounts.items()
        if name in paths and CONTAINER.search(paths[name])
    }
    cpu = folders.get("cpu", folders.get(""))
    if cpu is None or not (cpu / "cpu.stat").is_file():
        return None
    return Cgroup(
        pid, "cpu" not in folders, cpu, folders.get("cpuacct", cpu), folders.get("memory", cpu)
    )


class _Mount(NamedTuple):
    folder: Path
    root: str  # which part of the hierarchy is seen there


def _mounts(text: str) -> dict[str, _Mount]:
    """Return where each controller's hierarchy is, that of version 2 under an empty name."""
    mounts: dict[str, _Mount] = {}
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        mount = _Mount(Path(left.split()[4]), left.split()[3])
        names = [""] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        for name in names:
            mounts.setdefault(name, mount)
    return mounts


def _flat(path: Path) -> dict[str, int]:
    """Return the numbers of a file of lines of a name and a number."""
    return {name: int(value) for name, value in map(str.split, path.read_text().splitlines())}
