"""Little's law: sound runs agree with it whatever their load, and made-up latencies don't."""

import random

import pytest
from msgspec.structs import replace

from loadtest.checks.little import check_little
from loadtest.histogram import Histogram
from loadtest.study.study import Run
from tests.loadtest.checks.judged import judged
from tests.loadtest.studies import make_run


def queue(seed: int, rate: float, *, omitting: bool = False, seconds: int = 5) -> Run:
    """Return an open loop with one server that takes 5 ms on average; requests under way are counted.

    `omitting`: latencies count from when the server began, as those of a coordinated client do.
    """
    random_ = random.Random(seed)
    at = free = 0.0
    began, ended, latencies = [], [], []
    while (at := at + random_.expovariate(rate)) < seconds:
        start = max(at, free)
        free = start + random_.expovariate(200)
        began.append(at)
        ended.append(free)
        latencies.append(free - (start if omitting else at))
    moments = [random_.uniform(0, seconds) for _ in range(500)]
    under_way = [
        sum(begin <= moment < end for begin, end in zip(began, ended, strict=True))
        for moment in moments
    ]
    run = make_run(rate, loop="open", seconds=seconds)
    run.sent = run.ok = len(began)
    run.latency = Histogram.of(latencies).encode()
    run.in_flight, run.connections = sum(under_way) / len(under_way), 64
    return run


@pytest.mark.parametrize("rate", [20.0, 100.0, 160.0])
def test_a_real_queue_agrees(rate: float) -> None:
    """Chance alone, of arrivals, service and moments, marks no run: 20 of each load."""
    for seed in range(20):
        judged(check_little(queue(seed, rate)), "ok")


def test_coordinated_omission_is_found() -> None:
    """Latencies that leave out the wait for the server are less than what was under way."""
    for seed in range(20):
        judged(check_little(queue(seed, 160.0, omitting=True)), "refused", "leave something out")


def test_what_was_never_sent_has_no_latency() -> None:
    """Of an overloaded server's queue only that much is missing in latencies as was never sent."""
    run = replace(make_run(500, loop="open"), in_flight=50.0)
    judged(check_little(replace(run, unsent=100)), "ok")
    judged(check_little(replace(run, unsent=10)), "refused", "leave something out")


def test_too_many_replies() -> None:
    """Replies that nobody was waiting for are found as well."""
    run = replace(make_run(500, loop="open"), in_flight=1.0)
    judged(check_little(run), "refused", "2.50 under way", "1.00 were counted", "too many")


def test_a_little_off_is_marked() -> None:
    """Between sound and wrong there is doubt."""
    judged(check_little(replace(make_run(2000, loop="open"), in_flight=12.0)), "marked")


def test_a_closed_loop_has_its_connections() -> None:
    """More requests under way than connections can't be, by whatever it is computed."""
    run = make_run(500, latency_seconds=0.02)
    judged(check_little(run), "ok")
    judged(check_little(replace(run, connections=5)), "refused", "impossible on 5 connections")
    judged(check_little(replace(run, connections=5, in_flight=0.0)), "refused", "impossible")


def test_not_counted() -> None:
    """Where nothing under way was counted it says so."""
    judged(check_little(replace(make_run(400), in_flight=0.0)), "ok", "unknown")


def test_no_latency() -> None:
    """Replies without a latency make no figure."""
    judged(check_little(replace(make_run(500), latency="")), "refused", "no latency")
