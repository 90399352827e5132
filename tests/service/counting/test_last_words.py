"""Last words: what a replica has counted outlives it; one that was killed is known by its silence."""

from pathlib import Path

import pytest

from service.counting import last_words
from service.counting.last_words import SUFFIX, Count, LastWords, counted, read_lives
from service.counting.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    """Return metrics in which something has been counted."""
    metrics = Metrics()
    counts = metrics.of("m", "1")
    counts.requests["v1", 200] += 3
    counts.rows += 5
    counts.cache_rows["hit"] += 5
    return metrics


def words(folder: Path, metrics: Metrics, replica: str = "r-1") -> LastWords:
    """Return the file of a replica."""
    return LastWords(folder, replica, metrics.registry)


def test_what_was_counted(metrics: Metrics, tmp_path: Path) -> None:
    """A life begins without counts and ends with them; its start is that of the metrics."""
    told = words(tmp_path / "reports", metrics)
    told.begin()
    (begun,) = read_lives(tmp_path / "reports")
    started = metrics.registry.get_sample_value("process_start_time_seconds")
    assert (begun.replica, begun.started, begun.ended, begun.counts) == ("r-1", started, 0.0, [])
    metrics.of("m", "1").requests["v1", 200] += 1
    told.end()
    (ended,) = read_lives(tmp_path / "reports")
    assert (ended.replica, ended.started) == ("r-1", started)
    assert ended.ended >= started
    labels = {"model": "m", "version": "1"}
    assert Count("flotilla_requests", {**labels, "protocol": "v1", "code": "200"}, 4) in ended.counts
    assert Count("flotilla_rows", labels, 5) in ended.counts
    assert Count("flotilla_cache_rows", {**labels, "result": "hit"}, 5) in ended.counts


def test_only_what_is_audited(metrics: Metrics) -> None:
    """Histograms, gauges and the process' own figures aren't written down."""
    names = {each.name for each in counted(metrics.registry.collect())}
    assert names == {"flotilla_requests", "flotilla_rows", "flotilla_cache_rows"}


def test_a_folder_that_cannot_be_written(
    metrics: Metrics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A replica that can't leave its counts behind says so, and nothing fails."""
    (tmp_path / "reports").write_text("no folder")
    told = words(tmp_path / "reports", metrics)
    told.begin()
    told.end()
    assert caplog.text.count("won't know what this replica has counted") == 2


def test_there_are_never_too_many(
    metrics: Metrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are forgotten where there are more than may be, but nobody else's files."""
    monkeypatch.setattr(last_words, "MOST_LIVES", 3)
    (tmp_path / "r-0.json").write_text("a report")
    for number in range(5):
        words(tmp_path, metrics, f"r-{number}").begin()
    assert {life.replica for life in read_lives(tmp_path)} == {"r-2", "r-3", "r-4"}
    assert (tmp_path / "r-0.json").exists()


def test_what_is_no_life_is_left_out(metrics: Metrics, tmp_path: Path) -> None:
    """A file that can't be read keeps nobody from reading the others."""
    words(tmp_path, metrics).begin()
    (tmp_path / f"broken{SUFFIX}").write_text("{")
    assert [life.replica for life in read_lives(tmp_path)] == ["r-1"]
    assert read_lives(tmp_path / "nowhere") == []
