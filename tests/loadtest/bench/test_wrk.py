"""wrk and its scripts: unique bodies are, repeats are the favourites, and errors are counted."""

import json
from collections import Counter
from pathlib import Path

import pytest

from loadtest.bench.report import Run
from loadtest.bench.servers import Server
from loadtest.bench.workloads import FAVOURITES, Workload
from loadtest.bench.wrk import measure, parse, write_bodies
from tests.loadtest.bench.models import digits_model, failing, serving
from tests.loadtest.fakes import Reply, answering

ONE, BATCH, REPEATS = (Workload("digits", shape) for shape in ("unique", "batch", "repeats"))


def right(body: bytes) -> Reply:
    """Answer anything."""
    return 200, {}, b"{}"


@pytest.mark.needs("wrk")
@pytest.mark.parametrize("workload", [ONE, BATCH], ids=lambda workload: workload.title)
def test_wrk_never_sends_a_body_twice(workload: Workload, tmp_path: Path) -> None:
    """All bodies of two runs differ, also once the templates have been gone through."""
    write_bodies(tmp_path)
    templates = tmp_path / f"{workload.shape}.txt"
    templates.write_text("\n".join(templates.read_text().splitlines()[:5]) + "\n")
    with answering(serving(digits_model())) as (url, received):
        runs = [
            measure(Server("test", url), workload, tmp_path, 1, range(first, first + 20_000))
            for first in (20_000, 40_000)
        ]
    assert [run.failed for run in runs] == [0, 0]
    assert all(run.requests_per_second > 10 for run in runs)
    assert len(set(received)) == len(received) > 50
    numbers = {json.loads(body)["instances"][0][0] for body in received}
    assert min(numbers) == 20_000e-7
    assert max(numbers) < 60_000e-7


@pytest.mark.needs("wrk")
def test_wrk_repeats_favourites(tmp_path: Path) -> None:
    """Repeats are bodies of the thousand, the first of them most often."""
    write_bodies(tmp_path)
    with answering(right) as (url, received):
        run = measure(Server("test", url), REPEATS, tmp_path, 1, range(0))
    bodies = [body.encode() for body in REPEATS.bodies()]
    counts = Counter(received)
    assert run.failed == 0
    assert len(received) > 200
    assert len(bodies) == FAVOURITES
    assert set(counts) <= set(bodies)
    assert counts.most_common(1)[0][0] == bodies[0]


@pytest.mark.needs("wrk")
def test_wrk_counts_errors(tmp_path: Path) -> None:
    """Each reply that isn't a success is counted, and marks the run as failed."""
    write_bodies(tmp_path)
    with answering(failing) as (url, _):
        run = measure(Server("test", url), ONE, tmp_path, 1, range(100))
    assert run.failed >= run.non_2xx > 10


def test_parse_reads_what_the_script_prints() -> None:
    """The last line of wrk's output becomes rates, milliseconds and the sum of socket errors."""
    line = (
        '{"requests": 3000, "microseconds": 2000000, "p50_us": 1500, "p99_us": 9000, '
        '"non_2xx": 2, "connect": 1, "read": 3, "write": 5, "timeout": 7}'
    )
    run = parse(f"Running 2s test @ http://x\n\n{line}\n")
    assert run == Run(1500.0, 1.5, 9.0, non_2xx=2, socket_errors=16)
    assert run.failed == 18
