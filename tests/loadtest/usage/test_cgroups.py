"""Cgroups: both versions on paper, whatever the kernel leaves out, and a container that is real."""

import os
from pathlib import Path

import pytest

from loadtest.usage.cgroups import Cgroup, Reading, find_cgroup
from tests.loadtest.usage.hierarchies import (
    CONTAINER,
    PID,
    V1_CPU_FILES,
    V2_FILES,
    separate,
    unified,
    write_files,
    write_proc,
)


def found(proc: Path, pid: int = PID) -> Cgroup:
    """Return the cgroup of a process that is in one."""
    cgroup = find_cgroup(pid, proc)
    assert cgroup is not None
    return cgroup


def test_version_2(tmp_path: Path) -> None:
    """One folder has it all; memory is without pages of files that nobody used lately."""
    assert found(unified(tmp_path)).read() == Reading(
        cpu_seconds=1.234567,
        memory_bytes=90_000_000,
        quota_cpus=0.2,
        periods=300,
        throttled_periods=240,
        throttled_seconds=18.0,
    )


def test_version_2_without_a_quota(tmp_path: Path) -> None:
    """Neither "max" nor a file that isn't there is a quota."""
    assert found(unified(tmp_path, {**V2_FILES, "cpu.max": "max 100000\n"})).read().quota_cpus is None
    few = {name: text for name, text in V2_FILES.items() if name != "cpu.max"}
    few["cpu.stat"] = "usage_usec 5000000\nuser_usec 5000000\nsystem_usec 0\n"
    (tmp_path / "cpu").mkdir()
    reading = found(unified(tmp_path / "cpu", few)).read()
    assert (reading.cpu_seconds, reading.quota_cpus, reading.periods) == (5.0, None, 0)


def test_version_2_without_the_memory_controller(tmp_path: Path) -> None:
    """Where the kernel doesn't count memory, that of the processes is added up."""
    proc = unified(tmp_path, {name: V2_FILES[name] for name in ("cpu.stat", "cpu.max")})
    (proc / str(os.getpid())).mkdir()
    (proc / str(os.getpid()) / "cgroup").write_text((proc / str(PID) / "cgroup").read_text())
    assert found(proc, os.getpid()).read().memory_bytes > 4e6


@pytest.mark.parametrize("together", [True, False])
def test_version_1(tmp_path: Path, together: bool) -> None:
    """Each controller has a hierarchy of its own, or shares one, as distributions like it."""
    assert found(separate(tmp_path, together)).read() == Reading(
        cpu_seconds=0.55214625,
        memory_bytes=2_424_832 - 876_544,
        quota_cpus=0.2,
        periods=33,
        throttled_periods=24,
        throttled_seconds=1.736136054,
    )


def test_version_1_without_a_quota(tmp_path: Path) -> None:
    """There -1 is none."""
    proc = separate(tmp_path)
    write_files(tmp_path / "cpu" / "docker" / CONTAINER, {**V1_CPU_FILES, "cpu.cfs_quota_us": "-1\n"})
    assert found(proc).read().quota_cpus is None


def test_a_part_of_the_hierarchy_is_mounted(tmp_path: Path) -> None:
    """In a container the reader's mount may begin below the root that paths begin at."""
    proc = unified(tmp_path)
    inner = write_proc(
        tmp_path / "inner",
        f"0::/outer/docker/{CONTAINER}\n",
        (proc / "self" / "mountinfo").read_text().replace(" / ", " /outer ", 2),
    )
    assert find_cgroup(PID, inner) is None
    write_files(tmp_path / "cgroup" / "docker" / CONTAINER, V2_FILES)
    assert found(inner).read().periods == 300


def test_a_container_that_ended(tmp_path: Path) -> None:
    """Its folder goes with it, which reading says as OSError."""
    cgroup = found(unified(tmp_path))
    (cgroup.cpu / "cpu.stat").unlink()
    with pytest.raises(FileNotFoundError):
        cgroup.read()


def test_what_is_not_a_container(tmp_path: Path) -> None:
    """A process that happens to have the id of one in a virtual machine isn't taken for it."""
    assert find_cgroup(2**22 + 1) is None, "no process has such an id"
    proc = unified(tmp_path)
    write_files(tmp_path / "cgroup" / "user.slice" / "session-2.scope", V2_FILES)
    (proc / str(PID) / "cgroup").write_text("0::/user.slice/session-2.scope\n")
    assert find_cgroup(PID, proc) is None
    assert find_cgroup(PID, tmp_path / "no proc") is None, "not Linux"
