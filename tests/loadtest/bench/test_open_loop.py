"""Arrivals at a fixed rate: sent when due, all different, late answers and failures counted."""

import json
import threading
import time
from itertools import islice
from pathlib import Path

import pytest

from loadtest.bench.open_loop import arrive, run, unique_requests
from loadtest.bench.report import Arrivals
from loadtest.bench.workloads import Workload
from loadtest.bench.wrk import write_bodies
from tests.loadtest.bench.models import failing
from tests.loadtest.fakes import Reply, answering


def right(body: bytes) -> Reply:
    """Answer anything."""
    return 200, {}, b"{}"


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of templates."""
    folder = tmp_path_factory.mktemp("bodies")
    write_bodies(folder)
    return folder / "unique.txt"


def test_arrive_holds_the_rate(bodies: Path) -> None:
    """So many requests are sent as were to be, no two alike, in a process of its own."""
    with answering(right) as (url, received):
        arrivals = arrive(url + Workload("digits", "unique").path, bodies, 50.0, 1, range(7, 99))
    assert len(set(received)) == len(received) == 50
    assert json.loads(received[0])["instances"][0][0] == 7e-7
    assert arrivals.failed == 0
    assert arrivals.target_per_second == 50.0
    assert 0 < arrivals.p50_ms <= arrivals.p99_ms <= arrivals.max_ms


def test_latency_counts_from_when_a_request_was_due(bodies: Path) -> None:
    """A server that stalls delays what was due meanwhile, also what found no free connection."""
    turn, stalls = threading.Lock(), iter([0.5])

    def stalling(body: bytes) -> Reply:
        with turn:
            time.sleep(next(stalls, 0.0))
        return right(body)

    with answering(stalling) as (url, _):
        arrivals = run(url, unique_requests(f"{url}/p", bodies, 0), 300.0, 0.6)
    assert arrivals.failed == 0
    assert arrivals.max_ms >= 500
    assert arrivals.p50_ms >= 100


def test_failures_are_counted(bodies: Path) -> None:
    """A reply that isn't a 200 is a failure."""
    with answering(failing) as (url, _):
        assert run(url, unique_requests(f"{url}/p", bodies, 0), 100.0, 0.2).failed == 20


def test_announced_end_of_a_connection_is_no_failure(bodies: Path) -> None:
    """A server that closes after each reply is asked over new connections."""

    def closing(body: bytes) -> Reply:
        return 200, {"Connection": "close"}, b"{}"

    with answering(closing) as (url, received):
        assert run(url, unique_requests(f"{url}/p", bodies, 0), 500.0, 0.4).failed == 0
    assert len(received) == 200


def test_requests_never_repeat(bodies: Path) -> None:
    """The number changes once all templates have been sent."""
    requests = list(islice(unique_requests("http://x:1/p", bodies, 5), 4000))
    assert len(set(requests)) == 4000
    assert requests[0].startswith(b"POST /p HTTP/1.1\r\nHost: x:1\r\n")
    assert b"[[0.0000005, " in requests[0]
    assert b"[[0.0000007, " in requests[-1]


@pytest.mark.parametrize(("held", "counts"), [(991.0, True), (1009.0, True), (989.0, False)])
def test_a_rate_that_was_not_held_does_not_count(held: float, counts: bool) -> None:
    """Within 1 % of the target the latencies count, beyond they don't."""
    assert Arrivals(1000.0, held, 1.0, 2.0, 3.0, 0).held is counts
