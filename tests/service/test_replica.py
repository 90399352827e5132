"""A replica, put together: what is loaded is watched and shown, and the cache is there where wanted."""

import asyncio
from pathlib import Path

import pytest

from service.replica import Replica
from service.rows import TensorRows
from service.settings import Settings
from service.version import load_version
from service.versions.damage import EVERY_SECONDS
from service.versions.follower import LEAVE_SECONDS
from service.versions.report import read_reports
from tests.polling import run, until
from tests.published import LINE_SAMPLE, damage, published
from tests.service.followed import Clock, route_to


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry with one routed model."""
    published(tmp_path / "registry", "line", routed=True)
    return tmp_path / "registry"


def shown(replica: Replica) -> set[tuple[str, str]]:
    """Return the models and versions that `flotilla_model_info` shows."""
    return {
        (sample.labels["model"], sample.labels["version"])
        for metric in replica.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "flotilla_model_info"
    }


def value(replica: Replica, name: str, **labels: str) -> float | None:
    """Return the value of one series, or None where there is none."""
    return replica.metrics.registry.get_sample_value(name, labels)


def test_metrics_follow_the_registry(own_lines: Path, clock: Clock) -> None:
    """The metrics show what is loaded, and no longer show what was let go of."""
    replica = Replica(Settings(registry_dir=own_lines))
    assert value(replica, "flotilla_ready") == 0
    replica._follower.follow()
    assert value(replica, "flotilla_ready") == 1
    assert shown(replica) == {("a", "1"), ("b", "1")}
    route_to(own_lines, "a", {"2": 100.0}, shadow="3")
    replica._follower.follow()
    assert shown(replica) == {("a", "1"), ("a", "2"), ("a", "3"), ("b", "1")}
    clock.forward(LEAVE_SECONDS)
    replica._follower.follow()
    assert shown(replica) == {("a", "2"), ("a", "3"), ("b", "1")}
    route_to(own_lines, "a", {"4": 100.0})
    damage(own_lines / "a" / "4" / "model.skops")
    replica._follower.follow()
    assert value(replica, "flotilla_ready") == 0
    assert value(replica, "flotilla_version_refused", model="a", version="4") == 1
    assert value(replica, "flotilla_route_share", model="a", version="4") == 1
    asyncio.run(replica.stop())


def test_damage_is_shown(own_lines: Path, clock: Clock) -> None:
    """A loaded version whose files were changed is 1 in the metrics, until they are right again."""
    replica = Replica(Settings(registry_dir=own_lines))

    def damaged() -> dict[str, float | None]:
        clock.forward(EVERY_SECONDS)
        replica._follower.follow()
        name = "flotilla_model_damaged"
        return {model: value(replica, name, model=model, version="1") for model in ("a", "b")}

    assert damaged() == {"a": 0, "b": 0}
    before = damage(own_lines / "a" / "1" / "model.skops")
    assert damaged() == {"a": 1, "b": 0}
    assert value(replica, "flotilla_ready") == 1, "it serves"
    (own_lines / "a" / "1" / "model.skops").write_bytes(before)
    assert damaged() == {"a": 0, "b": 0}
    asyncio.run(replica.stop())


@pytest.mark.parametrize("reports", [True, False])
def test_reports_where_wanted(own_lines: Path, tmp_path: Path, reports: bool) -> None:
    """With a folder for it a replica reports what it holds, and no more once it has stopped."""
    folder = tmp_path / "reports"
    settings = Settings(
        registry_dir=own_lines, replica_name="r-1", reports_dir=str(folder) if reports else ""
    )

    def ready() -> bool:
        report = read_reports(folder).get("r-1")
        return report is not None and report.state_of(("a", "1")).state == "READY"

    async def scenario() -> None:
        replica = Replica(settings)
        await replica.start()
        try:
            await until(lambda: not replica.registry.missing())
            if reports:
                await until(ready)
        finally:
            await replica.stop()

    run(scenario())
    assert folder.is_dir() == reports
    assert read_reports(folder) == {}


def test_no_more_than_may_be_loaded(own_lines: Path) -> None:
    """MAX_LOADED_VERSIONS reaches the follower."""
    replica = Replica(Settings(registry_dir=own_lines, max_loaded_versions=1))
    replica._follower.follow()
    assert len(replica.registry.held()) == 1
    assert list(replica.registry.missing().values()) == [
        "MAX_LOADED_VERSIONS=1 others are routed or wanted before it"
    ]
    asyncio.run(replica.stop())


def test_engine_calls_are_counted(registry: Path) -> None:
    """Each loaded version reports its engine calls to the metrics."""
    replica = Replica(Settings(registry_dir=registry))
    replica._follower.follow()
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
