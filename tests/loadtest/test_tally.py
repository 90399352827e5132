"""The counts of a load test: each request once, however many processes count, and bounded names."""

from prometheus_client import CollectorRegistry

from loadtest.tally import MOST_NAMES, OTHER, Tallies


def shown(tallies: Tallies, metric: str, **labels: str) -> float | None:
    """Return what Prometheus would be shown."""
    registry = CollectorRegistry()
    registry.register(tallies)
    return registry.get_sample_value(f"flotilla_loadtest_{metric}", labels)


def test_counts() -> None:
    """Requests are counted by name and result, and all of them are in the histogram."""
    tallies = Tallies(lambda: 7)
    for seconds, failed in ((0.00015, False), (0.00045, False), (0.004, True)):
        tallies.count("a", seconds, failed)
    assert shown(tallies, "users") == 7
    results = [shown(tallies, "requests_total", name="a", result=each) for each in ("ok", "failed")]
    assert results == [2, 1]
    buckets = [
        shown(tallies, "request_duration_seconds_bucket", name="a", le=le)
        for le in ("0.0001", "0.0002", "0.0004", "0.0005", "0.005", "+Inf")
    ]
    assert buckets == [0, 1, 1, 2, 3, 3]
    assert shown(tallies, "request_duration_seconds_sum", name="a") == 0.00015 + 0.00045 + 0.004


def test_sum_of_processes() -> None:
    """What workers take and a master adds is in the sum once, and no longer in the worker's."""
    master, worker = Tallies(lambda: 0), Tallies(lambda: 0)
    for _ in range(2):
        worker.count("a", 0.001, failed=False)
        worker.count("b", 2.0, failed=True)
        master.add(worker.take())
    master.add(worker.take())
    assert shown(master, "requests_total", name="a", result="ok") == 2
    assert shown(master, "requests_total", name="b", result="failed") == 2
    assert shown(master, "request_duration_seconds_sum", name="b") == 4.0
    assert shown(master, "request_duration_seconds_bucket", name="b", le="2.0") == 2
    assert shown(worker, "requests_total", name="a", result="ok") is None


def test_names_are_bounded() -> None:
    """A scenario that gives each request a name of its own makes no series for each."""
    tallies = Tallies(lambda: 0)
    for number in range(MOST_NAMES + 50):
        tallies.count(f"/{number}", 0.001, failed=False)
    tallies.count("/0", 0.001, failed=False)
    assert shown(tallies, "requests_total", name=OTHER, result="ok") == 50
    assert shown(tallies, "requests_total", name="/0", result="ok") == 2
    assert len(tallies.take()) == MOST_NAMES + 1
