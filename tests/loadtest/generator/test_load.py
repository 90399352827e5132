"""The loop of one process by itself: a generator that is too slow says so."""

import time
from collections.abc import Iterator

from loadtest.generator.account import Account, Counted
from loadtest.generator.check import Check
from loadtest.generator.connection import Connection
from loadtest.generator.load import Load
from loadtest.generator.plan import Plan
from loadtest.generator.pool import Pool
from loadtest.generator.requests import requests
from loadtest.generator.schedule import schedule_of
from loadtest.histogram import Histogram
from tests.loadtest.generator.servers import payloads_of, serving

SLOW_SECONDS = 0.02


def load(rate: float, slow_seconds: float) -> Counted:
    """Load a good server for half a second, with a pause of the generator's own in each request."""
    payloads = payloads_of()
    with serving() as server:
        host, _, port = server.address.partition(":")
        plan = Plan(
            address=server.address,
            host="h",
            payloads="",
            loop="open",
            rate=rate,
            connections=32,
            seconds=0.5,
        )
        connections = [Connection((host, int(port))) for _ in range(plan.connections)]
        for each in connections:
            each.open(5.0)
        account = Account()
        pool = Pool(connections, account, timeout_seconds=5.0)

        def slowly() -> Iterator[tuple[int, bytes]]:
            for request in requests(payloads, plan, 0):
                time.sleep(slow_seconds)
                yield request

        started = time.perf_counter()
        schedule = schedule_of(plan, 0, started)
        Load(pool, account, slowly(), Check(payloads)).run(schedule, started, plan.seconds, 5.0)
    return account.counted(numbers=0)


def test_a_slow_generator_is_late_by_its_own_account() -> None:
    """Requests that were due while a connection was free count as its lag, more with each one."""
    counted = load(rate=100.0, slow_seconds=SLOW_SECONDS)
    lag = Histogram.decode(counted.lag)
    assert counted.ok == counted.sent == lag.count
    assert lag.longest_seconds > 5 * SLOW_SECONDS
    assert lag.quantile_seconds(0.99) > 5 * SLOW_SECONDS


def test_a_generator_far_too_slow_leaves_requests_unsent() -> None:
    """What it didn't get to is unsent, and each request is in the account once."""
    counted = load(rate=400.0, slow_seconds=SLOW_SECONDS)
    assert counted.sent + counted.unsent == 200
    assert counted.unsent > 100
    assert counted.sent == counted.ok + counted.failed + counted.lost


def test_a_quick_generator_is_not() -> None:
    """Without the pause all is sent, and latencies aren't the generator's own."""
    counted = load(rate=40.0, slow_seconds=0.0)
    assert (counted.ok, counted.unsent) == (20, 0)
    assert Histogram.decode(counted.lag).quantile_seconds(0.5) < SLOW_SECONDS
