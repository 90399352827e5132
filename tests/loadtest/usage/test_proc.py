"""/proc: a process's children, memory and processor time, as those of this one."""

import os
import subprocess
import sys
import time

from loadtest.usage.proc import cpu_seconds, family, pss_bytes


def test_family_is_a_process_and_its_children() -> None:
    """A child belongs to it while it lives."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in family(os.getpid())[1:]
        child.stdin.close()
    assert child.pid not in family(os.getpid())


def test_pss_is_some_memory() -> None:
    """A Python process has at least a few megabytes."""
    assert pss_bytes(os.getpid()) > 4e6


def test_cpu_seconds_grow_with_work() -> None:
    """What a process works is in it, as by the process's own clock."""
    before, began = cpu_seconds(os.getpid()), time.process_time()
    while time.process_time() < began + 0.2:
        pass
    spent = sum(cpu_seconds(os.getpid())) - sum(before)
    assert 0.1 <= spent <= 0.4
