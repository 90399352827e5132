"""Arrivals at a fixed rate: sent when due, all different, wrong answers counted."""

import json
from pathlib import Path

import pytest

from loadtest.bench.arrivals import arrive, write_payloads
from loadtest.bench.report import FASTAPI, FLOTILLA, Arrivals
from loadtest.bench.servers import Server
from loadtest.bench.workloads import Workload
from tests.loadtest.bench.models import OneWrong, digits_model, failing, serving
from tests.loadtest.fakes import Reply, answering

UNIQUE = Workload("digits", "unique")


def arrived(url: str, folder: Path, name: str = FASTAPI) -> Arrivals:
    """Send 250 arrivals within a second."""
    server = Server(name, url)
    write_payloads(server, UNIQUE, digits_model(), folder / "payloads")
    return arrive(server, folder / "payloads", 250.0, 1, 7)


def test_arrive_holds_the_rate(tmp_path: Path) -> None:
    """So many requests are sent as were to be, no two alike, none that wrk has sent, all right."""
    with answering(serving(digits_model())) as (url, received):
        arrivals = arrived(url, tmp_path)
    assert len(set(received)) == len(received) == 250
    assert all(-1e-4 < json.loads(body)["instances"][0][0] < 0 for body in received)
    assert arrivals.failed == 0
    assert (arrivals.target_per_second, arrivals.held_per_second) == (250.0, 250.0)
    assert arrivals.held
    assert 0 < arrivals.p50_ms <= arrivals.p99_ms <= arrivals.max_ms


def test_wrong_answers_are_failures(tmp_path: Path) -> None:
    """A class that isn't the model's own counts as failed, and so does an error."""
    with answering(serving(OneWrong(digits_model()))) as (url, _):
        assert arrived(url, tmp_path).failed == 1
    with answering(failing) as (url, _):
        assert arrived(url, tmp_path).failed == 250


def test_flotilla_says_which_version_answered(tmp_path: Path) -> None:
    """Without its header Flotilla's answers are failures; another server needs none."""
    model = serving(digits_model())

    def versioned(body: bytes) -> Reply:
        status, headers, answer = model(body)
        return status, {**headers, "X-Model-Version": "1"}, answer

    with answering(versioned) as (url, _):
        assert arrived(url, tmp_path, FLOTILLA).failed == 0
    with answering(model) as (url, _):
        assert arrived(url, tmp_path, FLOTILLA).failed == 250


@pytest.mark.parametrize(("held", "counts"), [(991.0, True), (1009.0, True), (989.0, False)])
def test_a_rate_that_was_not_held_does_not_count(held: float, counts: bool) -> None:
    """Within 1 % of the target the latencies count, beyond they don't."""
    assert Arrivals(1000.0, held, 1.0, 2.0, 3.0, 0).held is counts
