"""The watch: rows that were taken are counted, the pace is kept, and no version's fault stops it."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.drift.baseline import PREDICTED, PREDICTION, Feature
from service.drift.sampler import Sampler
from service.drift.watch import SHARE, DriftWatch
from service.drift.watched import CALL_SECONDS, WatchedVersion, has_chances
from service.inference import Columns
from service.replica import Replica
from service.rows import Rows
from service.settings import Settings
from service.signature import Signature, Tensor
from tests.fakes import PAIR, FakeEngine, fake_version, pairs
from tests.polling import wait_until
from tests.published import published
from tests.service.followed import Clock, route_to

CLASSES = Signature(PAIR.kind, PAIR.inputs, PAIR.outputs, ("no", "yes"))
FEATURES = (
    Feature(name="x[0]", column=0, measure="number", edges=(1.5,), shares=(0.5, 0.5)),
    Feature(
        name=PREDICTION,
        column=PREDICTED,
        measure="category",
        categories=("no", "yes"),
        shares=(0.5, 0.5),
    ),
)


class Chances:
    """An engine that is as sure as a row's first number says, and takes as long as it is told."""

    name = "chances"

    def __init__(self, clock: Clock | None = None, seconds: float = 0.0) -> None:
        self.calls: list[int] = []
        self._clock, self._seconds = clock, seconds

    def run(self, rows: Rows, outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return chances alone."""
        assert outputs == ("predict_proba",)
        self.calls.append(len(rows))
        values: NDArray[np.float64] = rows.model_input()
        if (values[:, 0] < 0).any():
            raise RuntimeError("broken")
        if self._clock is not None:
            self._clock.forward(self._seconds)
        sure = values[:, 0].copy()
        values[:] = 0  # as a step of somebody's own may
        return {"predict_proba": np.column_stack([sure, 1 - sure])}


def watched(
    engine: Any = None, most_rows: int = 100, features: tuple[Feature, ...] = FEATURES
) -> WatchedVersion:
    """Return a classifier that is watched."""
    version = fake_version(engine or Chances(), signature=CLASSES)
    return WatchedVersion(version, features, most_rows)


def offer(sampler: Sampler, *first: float, requests: int = 1, **columns: list[Any]) -> None:
    """Offer requests with rows that begin with these numbers."""
    rows = pairs(*((number, 0.0) for number in first))
    answers: Columns = columns or {"predict": ["yes"] * len(first)}
    for _ in range(requests):
        sampler.observe(b"", rows, answers)


def confidences(one: WatchedVersion) -> int:
    """Return how many have been counted."""
    return sum(one.counts._confidence.buckets)


def test_rows_and_predictions_are_counted() -> None:
    """Rows of several requests are counted together, as are their predictions."""
    one = watched()
    offer(one.sampler, 0.9, 2.0)
    offer(one.sampler, 0.8, predict=["no"])
    one.look(1.0, SHARE)
    assert one.counts.bins.tolist() == [2, 1, 1, 2]
    one.look(1.0, SHARE)
    assert one.counts.bins.tolist() == [2, 1, 1, 2]


def test_likeliest_class() -> None:
    """Of clients that ask for chances alone the prediction is the likeliest class."""
    one = watched()
    offer(one.sampler, 0.9, 0.9, predict_proba=[[0.2, 0.8], [0.7, 0.3]])
    offer(one.sampler, 0.9, decision_function=[1.0])
    one.look(1.0, SHARE)
    assert one.counts.bins.tolist() == [3, 0, 1, 1]


def test_answers_of_another_kind() -> None:
    """Lists, from a model that doesn't keep to its signature, are left out; rows are counted."""
    one = watched()
    offer(one.sampler, 0.9, predict=[["yes"]])
    one.look(1.0, SHARE)
    assert one.counts.bins.tolist() == [1, 0, 0, 0]


def test_confidence() -> None:
    """It is what the client was told, or else what the engine says of the same rows, unchanged."""
    engine = Chances()
    one = watched(engine)
    offer(one.sampler, 0.3, predict_proba=[[0.45, 0.55]])
    assert confidences(one) == 0
    one.look(1.0, SHARE)
    assert engine.calls == []
    rows = pairs((0.97, 0.0))
    one.sampler.observe(b"", rows, {"predict": ["no"]})
    one.look(1.0, SHARE)
    assert engine.calls == [1]
    assert rows.values.tolist() == [[0.97, 0.0]]
    assert one.counts._confidence.sum == pytest.approx(0.55 + 0.97)


def test_slow_engine_is_asked_little(clock: Clock) -> None:
    """A slow engine works no more than its share of the time; rows are counted all the while."""
    engine = Chances(clock, seconds=1.0)
    one = watched(engine)
    began = clock()
    for _ in range(400):
        offer(one.sampler, 0.9, requests=50)
        one.look(1.0, SHARE)
        clock.forward(1.0)
    assert one.counts.bins[0] == 50 * 400
    assert 10 < len(engine.calls) <= SHARE * (clock() - began) + 1
    assert engine.calls[1:] == [1] * (len(engine.calls) - 1), "one row, once it is known to be slow"


def test_quick_engine_is_asked_for_all(clock: Clock) -> None:
    """An engine that answers all rows in a call short enough is asked for all of them."""
    engine = Chances(clock, seconds=CALL_SECONDS / 100)
    one = watched(engine)
    for _ in range(4):
        offer(one.sampler, 0.9, requests=60)
        one.look(1.0, SHARE)
        clock.forward(1.0)
    assert engine.calls[-1] == 60


def test_engine_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """An engine that can't say is asked no more, which is logged; rows go on being counted."""
    engine = Chances()
    one = watched(engine)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            offer(one.sampler, -1.0)
            one.look(1.0, SHARE)
    assert engine.calls == [1]
    assert one.counts.bins[0] == 3
    assert [record.getMessage() for record in caplog.records] == [
        "m version 1: no confidences: RuntimeError: broken"
    ]


@pytest.mark.parametrize(("rows", "requests"), [(1, 5000), (10, 500), (64, 300)])
def test_pace(rows: int, requests: int) -> None:
    """However many requests and rows come, about as many rows are counted as there should be."""
    one = watched(most_rows=100)
    for _ in range(5):
        offer(one.sampler, *([0.5] * rows), requests=requests)
        one.look(1.0, SHARE)
    before = int(one.counts.bins[0])
    for _ in range(20):
        offer(one.sampler, *([0.5] * rows), requests=requests)
        one.look(1.0, SHARE)
    assert (one.counts.bins[0] - before) / 20 == pytest.approx(100, rel=0.35)


def test_pace_after_a_rush() -> None:
    """When traffic slackens, the few rows that come are soon all taken."""
    one = watched()
    offer(one.sampler, 0.5, requests=100_000)
    one.look(1.0, SHARE)
    assert one.sampler.stride > 500
    for _ in range(12):
        offer(one.sampler, 0.5, requests=2)
        one.look(1.0, SHARE)
    before = one.counts.bins[0]
    offer(one.sampler, 0.5, requests=10)
    one.look(1.0, SHARE)
    assert one.counts.bins[0] - before == 10


@pytest.fixture
def watch() -> Iterator[DriftWatch]:
    """Return a watch; ended when the test is over."""
    watch = DriftWatch(200)
    yield watch
    watch.close(10.0)
    assert watch._thread is None or not watch._thread.is_alive()


def test_thread(watch: DriftWatch) -> None:
    """The thread counts by itself what observers are given."""
    sampler = watch.watch(fake_version(Chances(), signature=CLASSES), FEATURES)
    offer(sampler, 0.9)
    wanted = 'flotilla_drift_rows_total{model="m",version="1",feature="x[0]",bin="1: up to 1.5"} 1'
    wait_until(lambda: wanted in watch.page(openmetrics=False))


def test_off() -> None:
    """With no rows a second nothing is watched, and there is no thread."""
    watch = DriftWatch(0)
    assert watch.watch(fake_version(signature=CLASSES), FEATURES) is None
    assert watch._thread is None
    watch.close(1.0)


def test_nothing_to_see(watch: DriftWatch) -> None:
    """A version without a baseline and without chances isn't watched; one with chances alone is."""
    plain = Signature("tensor", PAIR.inputs, (Tensor("predict", "float64"),))
    assert watch.watch(fake_version(signature=plain), ()) is None
    assert watch._thread is None
    assert has_chances(fake_version(signature=CLASSES))
    sampler = watch.watch(fake_version(Chances(), signature=CLASSES), ())
    offer(sampler, 0.9)
    wait_until(lambda: "flotilla_prediction_confidence_count" in watch.page(openmetrics=False))


def test_one_fault_does_not_stop_the_others(
    watch: DriftWatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A version whose rows can't be counted is logged; the next one's are counted."""
    wide = Feature(name="x[7]", column=7, measure="number", edges=(1.0,), shares=(0.5, 0.5))
    broken = watch.watch(fake_version(FakeEngine(), number=1), (wide,))
    fine = watch.watch(fake_version(FakeEngine(), number=2), FEATURES[:1])
    with caplog.at_level(logging.ERROR):
        offer(broken, 0.9)
        offer(fine, 0.9)
        wanted = 'version="2",feature="x[0]",bin="1: up to 1.5"} 1'
        wait_until(lambda: wanted in watch.page(openmetrics=False))
    assert "m version 1: its rows can't be counted" in caplog.text


def test_what_is_let_go_of(watch: DriftWatch) -> None:
    """A version that is no longer in memory has no series any more."""
    for number in (1, 2):
        watch.watch(fake_version(number=number), FEATURES[:1])
    watch.keep({("m", "2")})
    page = watch.page(openmetrics=False)
    assert 'version="2"' in page
    assert 'version="1"' not in page


SAMPLE = np.random.default_rng(3).normal(size=(100, 2))


def test_replica(tmp_path: Path, own_lines: Path) -> None:
    """A replica watches what has a baseline, and no more features of it than it may."""
    registry = own_lines
    published(registry, "based", sample=SAMPLE, routed=True)
    replica = Replica(Settings(registry_dir=registry, drift_max_features=1))
    replica._follower.follow()
    page = replica.observers.drift.page(openmetrics=False)
    assert 'model="based",version="1",feature="x[0]"' in page
    assert 'feature="(prediction)"' in page
    assert 'feature="x[1]"' not in page
    assert 'model="a"' not in page
    assert replica.registry.current("a").observers == ()
    (sampler,) = replica.registry.current("based").observers
    assert isinstance(sampler, Sampler)
    asyncio.run(replica.stop())
    assert not replica.observers.drift._thread.is_alive()


def test_replica_lets_go(own_lines: Path, clock: Clock) -> None:
    """What a replica no longer holds, it no longer shows."""
    published(own_lines, "based", sample=SAMPLE, routed=True)
    published(own_lines, "based", sample=SAMPLE)
    replica = Replica(Settings(registry_dir=own_lines))
    replica._follower.follow()
    route_to(own_lines, "based", {"2": 100.0})
    replica._follower.follow()
    clock.forward(60.0)
    replica._follower.follow()
    page = replica.observers.drift.page(openmetrics=False)
    assert 'model="based",version="2"' in page
    assert 'model="based",version="1"' not in page
    asyncio.run(replica.stop())
