"""Losing one part loses no request. Real processes, real signals; the client never retries."""

from deploy.local.supervisor import wait_until
from loadtest.client import Load
from loadtest.result import Result
from tests.stack.stack import Stack, scraped
from tests.stack.traffic import assert_nothing_lost, payloads, under_load

CONNECTIONS = 16
RATE = 300


def load(stack: Stack, rate: float = RATE) -> Load:
    """Return a load of about half of what two replicas can do on a slow machine."""
    requests = payloads(stack.registry / "digits" / "1")
    # Past the edge cache, which would answer everything and never notice a fault.
    past = {"Cache-Control": "no-cache"}
    url = f"{stack.url}/v1/models/digits:predict"
    return Load(url, CONNECTIONS, rate, requests, headers=past)


def test_killed_replica(stack: Stack) -> None:
    """A replica is killed under load: no request fails, it is back soon and gets its share."""
    names = stack.replicas()
    killed = min(names)
    result, _, _ = under_load(load(stack), 2, lambda: stack.kill(killed))
    assert_nothing_lost(result)
    assert set(result.by_replica) == names == stack.replicas()
    after, _, _ = under_load(load(stack), 3, lambda: None)
    assert_nothing_lost(after)
    assert after.by_replica[killed] > after.sent / 5


def test_hung_replica(stack: Stack) -> None:
    """A replica stops answering for 20 s without ending: others take its requests, then it serves."""
    hung, other = sorted(stack.replicas())

    def fault() -> None:
        with stack.hung(hung):
            moved, _, _ = under_load(load(stack, RATE / 2), 10, lambda: None)
        assert_nothing_lost(moved)
        assert moved.by_replica[other] > moved.sent * 0.9

    result, _, _ = under_load(load(stack, RATE / 2), 2, fault)
    assert_nothing_lost(result)
    after, _, _ = under_load(load(stack), 2, lambda: None)
    assert_nothing_lost(after)
    assert after.by_replica[hung] > 0


def test_redis_stopped_and_started(stack: Stack) -> None:
    """Redis goes and comes back: no request fails, and p99 meanwhile stays within 10 ms of before."""

    def p99_without_redis() -> float:
        """Return by how many seconds p99 is larger while Redis is gone."""
        steady: list[Result] = []

        def measure() -> None:
            steady.append(under_load(load(stack, RATE / 2), 2, lambda: None)[0])

        def fault() -> None:
            measure()
            with stack.stopped("redis"):
                measure()

        result, _, _ = under_load(load(stack, RATE / 2), 1, fault)
        for each in (result, *steady):
            assert_nothing_lost(each)
        before, without = (each.percentiles()["p99"] for each in steady)
        return without - before

    # Whatever else this machine does shows in a single measurement.
    assert any(p99_without_redis() < 0.010 for _ in range(3))
    after, _, _ = under_load(load(stack), 2, lambda: None)
    assert after.by_cache["redis"] > 0


def test_redis_killed(stack: Stack) -> None:
    """Redis is killed: no request fails, and once it is back it answers again."""
    result, _, _ = under_load(load(stack), 2, lambda: stack.kill("redis"))
    assert_nothing_lost(result)
    assert wait_until(lambda: under_load(load(stack), 1, lambda: None)[0].by_cache["redis"] > 0, 20)


def test_redis_hung(stack: Stack) -> None:
    """Redis accepts and never answers: no request fails, and answers come without it."""
    with stack.hung("redis"):
        result, _, _ = under_load(load(stack), 2, lambda: None)
    assert_nothing_lost(result)
    assert result.by_cache["bypass"] > result.sent * 0.9


def test_prometheus_killed(stack: Stack) -> None:
    """Prometheus is killed: nobody notices, and it is back."""
    result, _, _ = under_load(load(stack), 1, lambda: stack.kill("prometheus"))
    assert_nothing_lost(result)
    assert wait_until(lambda: scraped(stack) == ["up", "up"], 30)


def test_scale_up_and_down(stack: Stack) -> None:
    """2 → 5 → 2 replicas under load from kept-alive connections: no request fails, all five serve.

    Prometheus has five targets and then two.
    """
    names: set[str] = set()

    def fault() -> None:
        stack.scale(5)
        names.update(stack.replicas())
        spread, _, _ = under_load(load(stack), 6, lambda: None)
        assert_nothing_lost(spread)
        assert set(spread.by_replica) == names
        assert min(spread.by_replica.values()) > spread.sent / 15
        assert wait_until(lambda: scraped(stack) == ["up"] * 5, 30), scraped(stack)
        stack.scale(2)

    before = stack.replicas()
    result, _, _ = under_load(load(stack), 2, fault)
    assert_nothing_lost(result)
    assert set(result.by_replica) == names
    assert (len(names), stack.replicas()) == (5, before)
    assert wait_until(lambda: scraped(stack) == ["up"] * 2, 30), scraped(stack)
