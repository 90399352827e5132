"""Usage by processes, and what becomes of parts that end or begin anew."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from loadtest.study.study import Part
from loadtest.usage import Usage
from loadtest.usage.cgroups import Reading
from loadtest.usage.usage import part_between

# A child of a child works for 0.3 s and ends; then the parent says so, and waits to be told to end.
PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.3: pass"])
print("worked", flush=True)
input()
"""


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[str]]:
    """Run a Python process until the end of the context."""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_children_that_ended_are_counted() -> None:
    """What a worker used that is gone by the end of the run was used all the same."""
    with running(PARENT) as process:
        usage = Usage({"nginx": process.pid}, "process")
        usage.start()
        assert process.stdout is not None
        assert process.stdout.readline() == "worked\n"
        parts, host = usage.stop()
    assert parts is not None
    assert 0.25 < parts["nginx"].cpu_seconds < 5
    assert parts["nginx"].memory_bytes > 4e6
    assert (parts["nginx"].quota_cpus, parts["nginx"].periods) == (None, 0)
    assert host is not None


def test_children_that_run_are_counted() -> None:
    """Work and memory of a process are among its parent's."""
    usage = Usage({"parent": os.getppid(), "own": os.getpid()}, "process")
    usage.start()
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    parts, _ = usage.stop()
    assert parts is not None
    assert 0.15 < parts["own"].cpu_seconds <= parts["parent"].cpu_seconds + 0.05
    assert parts["own"].memory_bytes < parts["parent"].memory_bytes


def test_a_part_that_ends() -> None:
    """It is left out, and the rest is read."""
    with running("input()") as ends:
        usage = Usage({"ends": ends.pid, "stays": os.getpid()}, "process")
        usage.start()
    parts, _ = usage.stop()
    assert parts is not None
    assert parts.keys() == {"stays"}


def test_parts_that_are_not_here() -> None:
    """No part at all is None, by processes and by cgroups: then nothing is known."""
    assert Usage({}, "process").stop()[0] is None
    assert Usage({"a": 2**22 + 1}, "process").stop()[0] is None
    assert Usage({"a": 2**22 + 1}, "cgroup").stop()[0] is None


def test_differences() -> None:
    """Counters are subtracted; memory and quota are those at the end."""
    before = Reading(10.0, 500, 0.5, 100, 50, 2.0)
    after = Reading(12.5, 700, 0.2, 130, 75, 3.5)
    assert part_between(before, after) == Part(
        cpu_seconds=2.5,
        memory_bytes=700,
        quota_cpus=0.2,
        periods=30,
        throttled_periods=25,
        throttled_seconds=1.5,
    )


def test_a_part_that_began_anew() -> None:
    """Counters that fell count from 0."""
    part = part_between(Reading(10.0, 500, 0.2, 100, 50, 2.0), Reading(1.5, 700, 0.2, 10, 5, 0.5))
    assert (part.cpu_seconds, part.periods, part.throttled_periods) == (1.5, 10, 5)
