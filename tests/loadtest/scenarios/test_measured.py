"""What processes have measured adds up, each request once."""

import pytest

from loadtest.histogram import Histogram
from loadtest.scenarios.measured import Measured


def test_workers_add_up() -> None:
    """Counts, latencies and versions are those of all workers and reports, as if one had counted."""
    master, workers = Measured(), {"a": Measured(), "b": Measured()}
    latencies = {"a": [0.001, 0.002, 0.003], "b": [0.1, 0.2, 0.3, 0.4]}
    for _ in range(3):
        for name, worker in workers.items():
            for seconds in latencies[name]:
                worker.count(seconds, failed=seconds == 0.4)
            worker.versions["m 1"] += len(latencies[name])
            worker.unsent += 1
            master.add(name, worker.take(name))
    alone = Histogram.of(3 * [*latencies["a"], *latencies["b"]])
    assert (master.ok, master.failed, master.unsent, master.requests) == (18, 3, 6, 21)
    assert master.latency.encode() == alone.encode()
    assert master.versions == {"m 1": 21}


def test_taking_twice() -> None:
    """What was taken is gone: a report without requests between adds nothing."""
    master, worker = Measured(), Measured()
    worker.count(0.5, failed=False)
    for _ in range(2):
        master.add("a", worker.take("a"))
    assert (master.requests, master.latency.count) == (1, 1)


def test_rate() -> None:
    """The rate is over the time from the first request to the last reply, 0 without any."""
    measured = Measured()
    assert measured.rate == 0
    measured.count(2.0, failed=False)
    measured.count(0.001, failed=True)
    assert measured.rate == pytest.approx(1.0, rel=0.05)


def test_busiest_process() -> None:
    """The share of a core is the busiest worker's last one, not the sum of all, nor an earlier one."""
    master, worker = Measured(), Measured()
    for name, busy in (("a", 0.9), ("b", 0.5), ("a", 0.3)):
        master.add(name, {**worker.take(name), "busy": busy})
    assert master.busiest == 0.5
