"""/proc: a process's children, memory and processor time, as those of this one."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from loadtest.usage.proc import (
    core_wait_seconds,
    cpu_seconds,
    family,
    family_cpu_seconds,
    family_pss_bytes,
    pss_bytes,
)
from tests.polling import wait_until


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


def test_a_process_that_ended() -> None:
    """It is said as OSError, also before anybody has waited for it."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        wait_until(
            lambda: os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        )
        with pytest.raises((OSError, ValueError)):
            family_pss_bytes(child.pid)
    with pytest.raises(OSError, match="No such"):
        family_cpu_seconds(child.pid)


def test_family_adds_up() -> None:
    """Time and memory of a family are those of all its members."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        wait_until(lambda: pss_bytes(child.pid) > 1e6)
        own = pss_bytes(os.getpid())
        assert family_pss_bytes(os.getpid()) >= own + 1e6
        assert family_cpu_seconds(os.getpid()) >= sum(cpu_seconds(os.getpid()))
        child.stdin.close()


def test_waiting_for_a_core() -> None:
    """Of two processes that want the same core both wait; one without work doesn't."""
    core = min(os.sched_getaffinity(0))
    burn = f"import os; os.sched_setaffinity(0, [{core}])\nwhile True: pass"
    pids: list[int] = []
    with ExitStack() as stack:
        for code in (burn, burn, "input()"):
            process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
            stack.enter_context(process)
            stack.callback(process.kill)
            pids.append(process.pid)
        wait_until(lambda: min(map(core_wait_seconds, pids[:2])) > 0.6)
        assert core_wait_seconds(pids[2]) < min(map(core_wait_seconds, pids[:2]))
    assert core_wait_seconds(pids[0]) == 0, "it has ended"
