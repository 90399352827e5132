"""Cgroups on paper: folders in the kernel's own format, with the two files of /proc that lead there."""

from collections.abc import Mapping
from pathlib import Path

CONTAINER = "6853b2a4542a4727be9e5dec9727c1e06dccf218c4ff4695a9d529ecbfb17cf7"
PID = 4711

V2_CPU_STAT = """\
usage_usec 1234567
user_usec 1000000
system_usec 234567
core_sched.force_idle_usec 0
nr_periods 300
nr_throttled 240
throttled_usec 18000000
nr_bursts 0
burst_usec 0
"""
V2_MEMORY_STAT = "anon 60000000\nfile 30000000\ninactive_file 10000000\nactive_file 20000000\n"
V2_FILES = {
    "cpu.stat": V2_CPU_STAT,
    "cpu.max": "20000 100000\n",
    "memory.current": "100000000\n",
    "memory.stat": V2_MEMORY_STAT,
}
V1_CPU_FILES = {
    "cpu.stat": "nr_periods 33\nnr_throttled 24\nthrottled_time 1736136054\nnr_bursts 0\n",
    "cpu.cfs_quota_us": "20000\n",
    "cpu.cfs_period_us": "100000\n",
}
V1_CPUACCT_FILES = {"cpuacct.usage": "552146250\n"}
V1_MEMORY_FILES = {
    "memory.usage_in_bytes": "2424832\n",
    "memory.stat": "cache 1605632\ninactive_file 100\ntotal_inactive_file 876544\n",
}


def write_proc(folder: Path, cgroup: str, mountinfo: str) -> Path:
    """Write what /proc says of the process `PID` and of the reader's mounts; return that /proc."""
    proc = folder / "proc"
    for name, text in ((f"{PID}/cgroup", cgroup), ("self/mountinfo", mountinfo)):
        (proc / name).parent.mkdir(parents=True, exist_ok=True)
        (proc / name).write_text(text)
    return proc


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write a cgroup's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def unified(folder: Path, files: Mapping[str, str] = V2_FILES) -> Path:
    """Write version 2 as systemd and Docker set it up, and return its /proc."""
    path = f"/system.slice/docker-{CONTAINER}.scope"
    write_files(folder / "cgroup" / path[1:], files)
    mount = f"35 24 0:30 / {folder}/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
    return write_proc(folder, f"0::{path}\n", f"24 1 254:1 / / rw - ext4 /dev/vda rw\n{mount}")


def separate(folder: Path, together: bool = False) -> Path:
    """Write version 1, cpu and cpuacct in one hierarchy or in two, beside an unused version 2."""
    hierarchies = {"memory": V1_MEMORY_FILES}
    if together:
        hierarchies["cpu,cpuacct"] = {**V1_CPU_FILES, **V1_CPUACCT_FILES}
    else:
        hierarchies |= {"cpu": V1_CPU_FILES, "cpuacct": V1_CPUACCT_FILES}
    lines, mounts = [f"0::/docker/{CONTAINER}"], [f"41 31 0:38 / {folder}/unified rw - cgroup2 c rw"]
    for number, (controllers, files) in enumerate(hierarchies.items(), 1):
        write_files(folder / controllers / "docker" / CONTAINER, files)
        lines.append(f"{number}:{controllers}:/docker/{CONTAINER}")
        mounts.append(f"{number} 31 0:29 / {folder}/{controllers} rw - cgroup cgroup rw,{controllers}")
    return write_proc(folder, "\n".join(lines), "\n".join(mounts))
