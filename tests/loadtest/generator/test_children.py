"""Processes end with what wanted them: at an error, at Ctrl-C, and when it was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from deploy.errors import Refused
from loadtest.generator.children import children
from loadtest.generator.plan import Plan
from tests.loadtest.generator.servers import plan_for, serving
from tests.polling import wait_until

GENERATE = """\
import sys, msgspec
from loadtest.generator import Plan, generate
generate(msgspec.json.decode(sys.argv[1], type=Plan))
"""


def gone(pid: int) -> bool:
    """Say whether no such process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def long_plan(address: str, folder: Path) -> Plan:
    """Return a plan that nobody waits for the end of."""
    return plan_for(address, folder, rate=20.0, connections=2, processes=2, seconds=600.0)


@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupt_ends_them(tmp_path: Path, begun: bool) -> None:
    """Whether they wait for the start or are loading, none is left."""
    pids = []
    with serving() as server:

        def interrupted() -> None:
            with children(long_plan(server.address, tmp_path)) as both:
                pids.extend(each.pid for each in both)
                if begun:
                    for each in both:
                        each.begin(time.perf_counter())
                    wait_until(lambda: bool(server.received))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert len(pids) == 2
        assert all(map(gone, pids))
        wait_until(lambda: len(server.closed) == len(server.accepted))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_parent_that_is_ended_ends_them(tmp_path: Path, number: signal.Signals) -> None:
    """Told by it or not, they notice: their connections are closed soon afterwards."""
    with serving() as server:
        plan = msgspec.json.encode(long_plan(server.address, tmp_path)).decode()
        parent = subprocess.Popen([sys.executable, "-c", GENERATE, plan], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: len(server.received) > 2)
        finally:
            parent.send_signal(number)
            parent.wait()
        wait_until(lambda: len(server.closed) == len(server.accepted) == 2)


def test_a_process_that_dies_is_told_of(tmp_path: Path) -> None:
    """A process that ended before its time is an error with what it said last, not a wait."""
    with serving() as server:
        plan = long_plan(server.address, tmp_path)
        (tmp_path / "payloads").write_bytes(b"no payloads")
        with pytest.raises(Refused, match=r"MessagePack|Expected"), children(plan):
            pass
