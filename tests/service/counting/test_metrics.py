"""Metrics: each version's own, looked up once, in series that nobody outside can add to."""

from importlib.metadata import version

import pytest

from service import __version__
from service.counting.metrics import Metrics
from service.counting.predicted import LabelCounts, ValueMoments

M1, M2 = {"model": "m", "version": "1"}, {"model": "m", "version": "2"}


@pytest.fixture
def metrics() -> Metrics:
    """Return metrics of which nothing has been counted yet."""
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return the value of one series, or None where there is none."""
    return metrics.registry.get_sample_value(name, labels)


def test_versions_are_counted_apart(metrics: Metrics) -> None:
    """What is counted for a version is its own, by protocol and status."""
    metrics.of("m", "1").requests["v1", 200] += 2
    metrics.of("m", "1").requests["v2", 400] += 1
    metrics.of("m", "2").requests["v1", 200] += 1
    name = "flotilla_requests_total"
    assert value(metrics, name, **M1, protocol="v1", code="200") == 2
    assert value(metrics, name, **M1, protocol="v2", code="400") == 1
    assert value(metrics, name, **M2, protocol="v1", code="200") == 1


def test_a_version_that_is_loaded_again_goes_on_counting(metrics: Metrics) -> None:
    """A version that was forgotten and loaded again continues its series."""
    for _ in range(2):
        metrics.of("m", "1").requests["v1", 200] += 1
    assert value(metrics, "flotilla_requests_total", **M1, protocol="v1", code="200") == 2


def test_unknown_models_share_one_series(metrics: Metrics) -> None:
    """A request that named no known version adds no series with a name of the client's choice."""
    metrics.unknown.requests["v1", 404] += 1
    labels = {"model": "", "version": "", "protocol": "v1", "code": "404"}
    assert value(metrics, "flotilla_requests_total", **labels) == 1


def test_engine_calls(metrics: Metrics) -> None:
    """A call of the engine is counted with its duration and its rows."""
    metrics.of("m", "1").inferred(0.25, 32)
    metrics.of("m", "1").inferred(0.5, 3)
    assert value(metrics, "flotilla_inference_duration_seconds_sum", **M1) == 0.75
    assert value(metrics, "flotilla_inference_duration_seconds_bucket", **M1, le="0.25") == 1
    assert value(metrics, "flotilla_batch_rows_sum", **M1) == 35
    assert value(metrics, "flotilla_batch_rows_count", **M1) == 2


def test_cache_results(metrics: Metrics) -> None:
    """Rows are counted by what the cache did for them."""
    cache_rows = metrics.of("m", "1").cache_rows
    cache_rows["hit"] += 5
    cache_rows["miss"] += 1
    assert value(metrics, "flotilla_cache_rows_total", **M1, result="hit") == 5
    assert value(metrics, "flotilla_cache_rows_total", **M1, result="miss") == 1


def test_predicted_labels(metrics: Metrics) -> None:
    """Classes have a series each from the start; a version of which nothing is summed up has none."""
    metrics.of("m", "1").predicted = LabelCounts(("ham", "spam"))
    metrics.of("m", "1").predicted.add(["spam", "spam"])
    metrics.of("m", "2").requests["v1", 200] += 1
    name = "flotilla_predictions_total"
    assert value(metrics, name, **M1, label="spam") == 2
    assert value(metrics, name, **M1, label="ham") == 0
    assert value(metrics, name, **M2, label="ham") is None
    assert value(metrics, "flotilla_prediction_count", **M1) is None


def test_predicted_numbers(metrics: Metrics) -> None:
    """Numbers are shown as their count and two sums, of which the first may fall."""
    metrics.of("m", "1").predicted = ValueMoments()
    for values, count, total, squares in ([[2.0, 1.0], 2, 3, 5], [[-4.0], 3, -1, 21]):
        metrics.of("m", "1").predicted.add(values)
        assert value(metrics, "flotilla_prediction_count", **M1) == count
        assert value(metrics, "flotilla_prediction_sum", **M1) == total
        assert value(metrics, "flotilla_prediction_sum_of_squares", **M1) == squares
    assert value(metrics, "flotilla_predictions_total", **M1) is None


def test_two_replicas_in_one_process(metrics: Metrics) -> None:
    """Each replica has a registry of its own: what one counts, another one doesn't."""
    metrics.in_flight.inc()
    assert value(metrics, "flotilla_requests_in_flight") == 1
    assert value(Metrics(), "flotilla_requests_in_flight") == 0


def test_stations_are_timed_for_every_sixteenth_request(metrics: Metrics) -> None:
    """Of a version that has been asked 16 times, one parsing is counted, in its bucket."""
    counts = metrics.of("m", "1")
    counts.untimed = 16
    counts.parsed(0.00002)
    assert counts.untimed == 0
    assert value(metrics, "flotilla_parse_duration_seconds_count", **M1) == 1
    assert value(metrics, "flotilla_parse_duration_seconds_bucket", **M1, le="2.5e-05") == 1
    assert value(metrics, "flotilla_parse_duration_seconds_bucket", **M1, le="1e-05") == 0


def test_build_info_names_what_runs(metrics: Metrics) -> None:
    """The version of the kit is there, also where it runs from a folder without being installed."""
    (sample,) = next(
        each for each in metrics.registry.collect() if each.name == "flotilla_build_info"
    ).samples
    assert sample.labels["version"] == __version__
    assert sample.labels["gunicorn"] == version("gunicorn")
