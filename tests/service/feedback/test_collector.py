"""Tests of service/feedback/collector.py: what Prometheus is shown, and that it only ever grows."""

from prometheus_client import CollectorRegistry

from service.feedback.collector import FeedbackCollector
from service.feedback.task import Task
from service.versions.registry import Registry
from tests.fakes import fake_version

LABELS = Task("int64", (0, 1))


def test_series_begin_at_zero() -> None:
    """A version's series are there before its first label: what Prometheus sees first isn't counted."""
    collector = FeedbackCollector(Registry())
    collector.of("m", "1", LABELS)
    shown = CollectorRegistry()
    shown.register(collector)
    for label in ("0", "1", "(other)"):
        for outcome in ("tp", "fp", "fn"):
            series = {"model": "m", "version": "1", "label": label, "outcome": outcome}
            assert shown.get_sample_value("flotilla_feedback_labels_total", series) == 0
    accepted = {"model": "m", "version": "1", "result": "accepted"}
    assert shown.get_sample_value("flotilla_feedback_total", accepted) == 0
    assert shown.get_sample_value("flotilla_feedback_errors_total") == 0


def test_a_version_goes_on_with_its_counts() -> None:
    """A version that is loaded again has the counts that it had."""
    collector = FeedbackCollector(Registry())
    collector.of("m", "1", LABELS).count("accepted")
    again = collector.of("m", "1", LABELS)
    again.count("accepted")
    assert dict(again.results())["accepted"] == 2
    assert dict(collector.of("m", "2", LABELS).results())["accepted"] == 0


def test_scores_of_what_is_loaded() -> None:
    """A published score is shown while its version is loaded, and no longer."""
    registry = Registry()
    shown = CollectorRegistry()
    shown.register(FeedbackCollector(registry))
    version = fake_version(name="m")
    version.manifest.metrics["accuracy"] = 0.9
    score = {"model": "m", "version": "1", "metric": "accuracy"}
    assert shown.get_sample_value("flotilla_model_score", score) is None
    registry.hold(version)
    assert shown.get_sample_value("flotilla_model_score", score) == 0.9
    registry.release([("m", "1")])
    assert shown.get_sample_value("flotilla_model_score", score) is None
