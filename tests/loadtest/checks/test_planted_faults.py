"""Faults planted in real loads by the real generator: each check finds its own.

What needs a stack of replicas is in tests/stack/test_checks.py.
"""

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from loadtest.checks.generator import check_generator
from loadtest.checks.little import check_little
from loadtest.checks.replies import check_replies
from loadtest.generator import generate
from loadtest.usage.proc import family
from tests.loadtest.checks.judged import SETTINGS, judged
from tests.loadtest.checks.measured import HEADERS, RIGHT, plan_for, quick_server, run_of
from tests.loadtest.fakes import Reply, answering

CONNECTIONS = 8


@contextmanager
def stalled(seconds: float) -> Iterator[None]:
    """Stop every process that this one starts meanwhile for so long, again and again."""
    known, done = set(family(os.getpid())), threading.Event()

    def send(number: signal.Signals) -> None:
        for pid in set(family(os.getpid())) - known:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stall() -> None:
        while not done.is_set():
            send(signal.SIGSTOP)
            done.wait(seconds)
            send(signal.SIGCONT)
            done.wait(seconds)

    thread = threading.Thread(target=stall)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_replies_lost(tmp_path: Path) -> None:
    """A server that drops every 50th connection: the run is refused, and says how many that were."""
    numbers = itertools.count(1)

    def drop_some(_: bytes) -> Reply:
        if next(numbers) % 50 == 0:
            raise ConnectionAbortedError
        return 200, HEADERS, RIGHT

    with answering(drop_some) as (url, _):
        plan = plan_for(url, tmp_path, loop="open", rate=200.0, connections=CONNECTIONS, seconds=2.0)
        run = run_of(plan, generate(plan))
    assert run.lost == run.sent // 50
    judged(check_replies(run, SETTINGS), "refused", f"{run.lost} got no whole reply and 0 a wrong one")


def test_wrong_replies(tmp_path: Path) -> None:
    """A server that answers quickly and wrongly has no throughput."""
    with answering(lambda _: (200, HEADERS, b'{"predictions": [4.0]}')) as (url, _):
        plan = plan_for(url, tmp_path, loop="closed", connections=CONNECTIONS, seconds=0.5)
        run = run_of(plan, generate(plan))
    assert run.sent > 0
    judged(check_replies(run, SETTINGS), "refused", "not one right reply")


def test_all_replies_came(tmp_path: Path) -> None:
    """The same server without the fault passes, and what was under way agrees with its latencies."""
    with answering(lambda _: (200, HEADERS, RIGHT)) as (url, received):
        plan = plan_for(url, tmp_path, loop="open", rate=200.0, connections=CONNECTIONS, seconds=2.0)
        run = run_of(plan, generate(plan))
    assert run.ok == len(received) == 400
    judged(check_replies(run, SETTINGS), "ok")
    judged(check_little(run), "ok")


@pytest.mark.needs("nginx")
def test_a_generator_that_is_too_slow(tmp_path: Path) -> None:
    """Asked for more than a process can send, of a server that could take it: refused for that."""
    with quick_server(tmp_path) as url:
        plan = plan_for(url, tmp_path, loop="open", rate=300_000.0, connections=256, seconds=1.5)
        run = run_of(plan, generate(plan))
    assert run.sent < 0.8 * 300_000 * 1.5
    finding = check_generator(run)
    judged(finding, "refused", "its busiest process used")


def test_a_generator_that_stalls(tmp_path: Path) -> None:
    """One that is held up sends late; latencies count from when a request was due, and show that."""
    with answering(lambda _: (200, HEADERS, RIGHT)) as (url, _):
        plan = plan_for(url, tmp_path, loop="open", rate=200.0, connections=64, seconds=2.0)
        with stalled(0.15):
            run = run_of(plan, generate(plan))
    judged(check_generator(run), "refused", "late (p99), where p99 of the latency is")
    judged(check_little(run), "ok")
