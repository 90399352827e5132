"""A replica, put together: what is loaded is watched and shown, and the cache is there where wanted."""

import asyncio
from pathlib import Path

import pytest

from deploy.routes import activate
from service.replica import Replica
from service.rows import TensorRows
from service.settings import Settings
from service.version import load_version
from tests.published import LINE_SAMPLE, published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry with one routed model."""
    published(tmp_path / "registry", "line", routed=True)
    return tmp_path / "registry"


def shown(replica: Replica) -> set[tuple[str, str]]:
    """Return the models and versions that `flotilla_model_info` shows."""
    return {
        (sample.labels["model"], sample.labels["version"])
        for metric in replica.metrics.model_info.collect()
        for sample in metric.samples
    }


def test_metrics_follow_the_registry(registry: Path) -> None:
    """The metrics show what is loaded, and no longer show what was forgotten."""
    replica = Replica(Settings(registry_dir=registry))
    ready = replica.metrics.ready._value
    assert ready.get() == 0
    replica.registry.follow()
    assert ready.get() == 1
    assert shown(replica) == {("line", "1")}
    for number in (2, 3):
        published(registry, "line")
        activate(registry, "line", number, "test")
        replica.registry.follow()
    assert shown(replica) == {("line", "2"), ("line", "3")}
    (registry / "line" / "4").mkdir()
    current = registry / "routes" / "line" / "current"
    (current.parent / "000009-4.0123456789abcdef").mkdir()
    current.unlink()
    current.symlink_to("000009-4.0123456789abcdef")
    replica.registry.follow()
    assert ready.get() == 0
    asyncio.run(replica.stop())


def test_engine_calls_are_counted(registry: Path) -> None:
    """Each loaded version reports its engine calls to the metrics."""
    replica = Replica(Settings(registry_dir=registry))
    replica.registry.follow()
    version = replica.registry.current("line")
    version.counts.inferred(0.5, len(TensorRows(LINE_SAMPLE)))
    labels = {"model": "line", "version": "1"}
    samples = replica.metrics.registry.get_sample_value
    assert samples("flotilla_inference_duration_seconds_sum", labels) == 0.5
    assert samples("flotilla_batch_rows_sum", labels) == len(LINE_SAMPLE)
    asyncio.run(replica.stop())


def test_predictions_go_on_being_summed_up(registry: Path) -> None:
    """A version that is loaded again goes on with what was summed up of its predictions."""
    replica = Replica(Settings(registry_dir=registry))
    for _ in range(2):
        version = load_version(registry / "line" / "1")
        replica._watch(version)
        version.counts.predicted.add([2.0])
    labels = {"model": "line", "version": "1"}
    assert replica.metrics.registry.get_sample_value("flotilla_prediction_count", labels) == 2
    asyncio.run(replica.stop())


@pytest.mark.parametrize(
    ("settings", "cached"),
    [
        ({"redis_url": "unix:///nowhere/redis.sock"}, True),
        ({"redis_url": ""}, False),
        ({"redis_url": "unix:///nowhere/redis.sock", "cache": "off"}, False),
    ],
)
def test_cache_where_wanted(registry: Path, settings: dict[str, str], cached: bool) -> None:
    """There is a cache where Redis is named and the cache isn't off; Redis need not be there."""

    async def scenario() -> None:
        replica = Replica(Settings(registry_dir=registry, **settings))
        await replica.start()
        try:
            assert (replica._cache is not None) == cached
        finally:
            await replica.stop()

    asyncio.run(scenario())
