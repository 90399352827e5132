"""The shadows of a replica: one for each version, goes on when loaded again, ends when unwanted."""

from collections.abc import Iterator

import pytest

from service.counting.metrics import Metrics
from service.settings import Settings
from service.shadow.shadow import Shadow
from service.shadow.shadows import Shadows
from service.version import LoadedVersion
from tests.fakes import FakeEngine, fake_version, pairs
from tests.polling import wait_until

LIVE = fake_version(number=1)
SERIES = {"model": "m", "version": "1", "shadow": "2"}


@pytest.fixture
def metrics() -> Metrics:
    """Return metrics of which nothing has been counted yet."""
    return Metrics()


@pytest.fixture
def shadows(metrics: Metrics) -> Iterator[Shadows]:
    """Return shadows that never rest."""
    made = Shadows(Settings(shadow_share=1.0, shadow_queue_rows=3), metrics.shadowed)
    yield made
    made.close(10.0)


def rows(metrics: Metrics, result: str) -> float:
    """Return what the metrics show."""
    return (
        metrics.registry.get_sample_value("flotilla_shadow_rows_total", {**SERIES, "result": result})
        or 0.0
    )


def offer(shadow: Shadow, *answers: float) -> None:
    """Offer rows with sums of 3 and what was answered."""
    shadow.offer(LIVE, pairs(*[(1, 2)] * len(answers)), {"predict": list(answers)})


def test_one_shadow_for_each_version(shadows: Shadows) -> None:
    """A version always gets the same shadow, another one its own."""
    second, third = fake_version(number=2), fake_version(number=3)
    assert shadows.shadow_of(second) is shadows.shadow_of(second)
    assert shadows.shadow_of(second) is not shadows.shadow_of(third)
    assert shadows.shadow_of(second).version is second


def test_loaded_again(shadows: Shadows, metrics: Metrics) -> None:
    """A version that is loaded again gets a new shadow that goes on counting; the old one is closed."""
    before = shadows.shadow_of(fake_version(number=2))
    offer(before, 3.0)
    wait_until(lambda: rows(metrics, "agree") == 1)
    version = fake_version(number=2)
    after = shadows.shadow_of(version)
    assert after is not before
    offer(after, 3.0)
    wait_until(lambda: rows(metrics, "agree") == 2)
    offer(before, 3.0)
    assert rows(metrics, "dropped") == 1


def test_close_all_but(shadows: Shadows, metrics: Metrics) -> None:
    """What is kept goes on; the others are closed, and made anew when they are wanted again."""
    kept, version = shadows.shadow_of(fake_version(number=2)), fake_version(number=3)
    closed = shadows.shadow_of(version)
    shadows.close_all_but({kept})
    assert shadows.shadow_of(kept.version) is kept
    assert shadows.shadow_of(version) is not closed
    offer(kept, 3.0)
    wait_until(lambda: rows(metrics, "agree") == 1)
    offer(closed, 3.0)
    assert closed._thread is None


def test_closing_waits_for_calls(shadows: Shadows) -> None:
    """All are closed and their threads ended; one that hangs is waited for only as long as said."""
    engine = FakeEngine()
    works, hangs = (
        shadows.shadow_of(fake_version(number=2)),
        shadows.shadow_of(fake_version(engine, number=3)),
    )
    engine.may_go_on.clear()
    offer(works, 3.0)
    offer(hangs, 3.0)
    assert engine.entered.wait(10)
    shadows.close(0.01)
    wait_until(lambda: not works._thread.is_alive())
    assert hangs._thread.is_alive()
    engine.may_go_on.set()
    hangs.join(10.0)
    assert not hangs._thread.is_alive()


def test_what_the_metrics_show(shadows: Shadows, metrics: Metrics) -> None:
    """Rows are shown by model, the version that answered, the shadow, and what became of them."""
    version: LoadedVersion = fake_version(number=2)
    shadow = shadows.shadow_of(version)
    offer(shadow, 3.0, 3.01, 4.0)
    wait_until(lambda: rows(metrics, "agree") + rows(metrics, "disagree") == 3)
    offer(shadow, 3.0, 3.0, 3.0, 3.0)
    assert [rows(metrics, result) for result in ("agree", "disagree", "failed", "dropped")] == [
        2,
        1,
        0,
        4,
    ]
    calls = "flotilla_shadow_inference_duration_seconds_count"
    assert metrics.registry.get_sample_value(calls, {"model": "m", "version": "2"}) == 1
