"""Losing one part loses no request. Real processes, real signals; the client never retries."""

import signal

import pytest

from loadtest.client import Load
from tests.stack.local import LocalStack
from tests.stack.traffic import assert_nothing_lost, payloads, under_load

pytestmark = pytest.mark.needs("nginx", "redis-server", "prometheus")

CONNECTIONS = 16
RATE = 300


def load(stack: LocalStack, model: str = "digits") -> Load:
    """Return a load of about half of what two replicas can do on a slow machine."""
    requests = payloads(stack.home / "registry" / model / "1")
    return Load(f"{stack.url}/v1/models/{model}:predict", CONNECTIONS, RATE, requests)


def test_killed_replica(stack: LocalStack) -> None:
    """A replica is killed under load: no request fails, and it is back within seconds."""
    pid = stack.processes()["replica-1"].pid

    def fault() -> None:
        stack.kill("replica-1")
        stack.wait_until_back("replica-1", pid)

    result, _, _ = under_load(load(stack), 3, fault)
    assert_nothing_lost(result)
    assert set(result.by_replica) == {"replica-1", "replica-2"}


def test_killed_replica_serves_again(stack: LocalStack) -> None:
    """A replica that came back gets its share again."""
    pid = stack.processes()["replica-2"].pid
    stack.kill("replica-2")
    stack.wait_until_back("replica-2", pid)
    result, _, _ = under_load(load(stack), 4, lambda: None)
    assert_nothing_lost(result)
    assert min(result.by_replica[name] for name in ("replica-1", "replica-2")) > result.sent / 5


def test_hung_replica(stack: LocalStack) -> None:
    """A replica stops answering without ending: its requests go elsewhere, none fails."""

    def fault() -> None:
        stack.signal("replica-1", signal.SIGSTOP)
        try:
            moved, _, _ = under_load(load(stack), 5, lambda: None)
        finally:
            stack.signal("replica-1", signal.SIGCONT)
        assert_nothing_lost(moved)
        assert moved.by_replica["replica-2"] > moved.sent * 0.9

    fault()
    result, _, _ = under_load(load(stack), 2, lambda: None)
    assert_nothing_lost(result)
    assert result.by_replica["replica-1"] > 0


def test_redis_stopped_and_started(stack: LocalStack) -> None:
    """Redis goes and comes back: no request fails, and p99 meanwhile stays within 10 ms of before."""

    def fault() -> None:
        stack.stop_redis()
        during, _, _ = under_load(load(stack), 2, lambda: None)
        down.append(during)
        stack.start_redis()

    down: list[object] = []
    before, _, _ = under_load(load(stack), 2, lambda: None)
    result, began, ended = under_load(load(stack), 2, fault)
    assert_nothing_lost(before)
    assert_nothing_lost(result)
    p99_before = before.percentiles()["p99"]
    assert result.percentiles(began, ended)["p99"] < p99_before + 0.010
    after, _, _ = under_load(load(stack), 2, lambda: None)
    assert after.by_cache["redis"] > 0


def test_redis_hung(stack: LocalStack) -> None:
    """Redis accepts and never answers: no request fails, and answers come without it."""
    stack.signal("redis", signal.SIGSTOP)
    try:
        result, _, _ = under_load(load(stack), 2, lambda: None)
    finally:
        stack.signal("redis", signal.SIGCONT)
    assert_nothing_lost(result)
    assert result.by_cache["bypass"] > result.sent * 0.9


def test_prometheus_gone(stack: LocalStack) -> None:
    """Prometheus is killed: nobody notices, and it is back."""
    pid = stack.processes()["prometheus"].pid

    def fault() -> None:
        stack.kill("prometheus")
        stack.wait_until_back("prometheus", pid)

    result, _, _ = under_load(load(stack), 1, fault)
    assert_nothing_lost(result)


def test_scale_up_and_down(stack: LocalStack) -> None:
    """2 → 4 → 2 replicas under load from kept-alive connections: no request fails, all four serve."""

    def fault() -> None:
        stack.scale(4)
        assert stack.replicas() == {f"replica-{number}" for number in (1, 2, 3, 4)}
        spread, _, _ = under_load(load(stack), 6, lambda: None)
        assert_nothing_lost(spread)
        assert min(spread.by_replica.values()) > spread.sent / 12
        assert len(spread.by_replica) == 4
        stack.scale(2)

    result, _, _ = under_load(load(stack), 2, fault)
    assert_nothing_lost(result)
    assert set(result.by_replica) == {f"replica-{number}" for number in (1, 2, 3, 4)}
    assert stack.replicas() == {"replica-1", "replica-2"}
