"""The Redis cache, with a real Redis that is stopped, paused and filled: it never costs an error.

Times are the best of a few tries: what is tested is our own patience, not the machine's load.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.cache import CONNECTION_PATIENCE, MAX_PENDING_WRITES, RowCache
from tests.polling import PATIENCE_SECONDS, run, until
from tests.service.redis_server import RedisServer

# What is answered at all is answered in this, however busy the machine is.
AMPLE_SECONDS = 1.0
TIMEOUT_SECONDS = 0.02
GRACE_SECONDS = 0.005
TTL_SECONDS = 1000
TRIES = 3

pytestmark = pytest.mark.needs("redis-server")
Errors = Counter[tuple[str, str]]


@asynccontextmanager
async def cache_at(
    url: str, timeout_seconds: float = AMPLE_SECONDS, ttl_seconds: int = TTL_SECONDS
) -> AsyncIterator[tuple[RowCache, Errors]]:
    """Return an opened cache and the errors it has reported."""
    errors: Errors = Counter()
    cache = RowCache(url, ttl_seconds, timeout_seconds, lambda *what: errors.update([what]))
    await cache.open()
    try:
        yield cache, errors
    finally:
        await cache.close()


async def holds(cache: RowCache, key: bytes) -> bool:
    """Tell whether the cache answers for a key, however busy the machine is."""
    return (await cache.look_up([key]) or [None])[0] is not None


async def kept(cache: RowCache, *pairs: tuple[bytes, bytes]) -> None:
    """Store values and wait until they are there."""
    for key, value in pairs:
        cache.store(key, value)
    await until(lambda: holds(cache, pairs[-1][0]))


async def seconds_of_a_miss(url: str) -> float:
    """Return how long a look-up takes that Redis doesn't answer: the best of three first ones."""
    spent = []
    for _ in range(TRIES):
        async with cache_at(url, TIMEOUT_SECONDS) as (cache, errors):
            loop = asyncio.get_running_loop()
            started = loop.time()
            assert await cache.look_up([b"k"]) is None
            spent.append(loop.time() - started)
            assert errors.total() == 1
    return min(spent)


def test_hit_and_miss(redis_server: RedisServer) -> None:
    """A stored value comes back as it was, bytes of any kind; a key that isn't there is None."""
    value = bytes(range(256)) + b"\r\n$5\r\n"

    async def scenario() -> None:
        async with cache_at(redis_server.url) as (cache, errors):
            assert await cache.look_up([b"a", b"b"]) == [None, None]
            await kept(cache, (b"a", value), (b"c", b""))
            assert await cache.look_up([b"c", b"b", b"a"]) == [b"", None, value]
            assert not errors

    run(scenario())


def test_look_ups_travel_together(redis_server: RedisServer) -> None:
    """Look-ups that wait at the same time share an MGET, and each gets its own values."""

    async def scenario() -> None:
        async with cache_at(redis_server.url) as (cache, _):
            await kept(cache, *((b"%d" % i, b"v%d" % i) for i in range(100)))
            redis_server.tell("CONFIG", "RESETSTAT")
            asked = [[b"%d" % i, b"none", b"%d" % (99 - i)] for i in range(100)]
            found = await asyncio.gather(*map(cache.look_up, asked))
            assert found == [[b"v%d" % i, None, b"v%d" % (99 - i)] for i in range(100)]
            assert redis_server.tell("INFO", "commandstats")["cmdstat_mget"]["calls"] == 1

    run(scenario())


def test_values_expire_at_different_times(redis_server: RedisServer) -> None:
    """A value lives for its time, give or take a tenth, so that not all expire in one moment."""

    async def scenario() -> None:
        async with cache_at(redis_server.url) as (cache, _):
            await kept(cache, *((b"%d" % i, b"v") for i in range(50)))

    run(scenario())
    left = [redis_server.tell("PTTL", b"%d" % i) / 1000 for i in range(50)]
    assert all(TTL_SECONDS * 0.9 - PATIENCE_SECONDS < each <= TTL_SECONDS * 1.1 for each in left)
    assert max(left) - min(left) > TTL_SECONDS * 0.05


def test_values_expire(redis_server: RedisServer) -> None:
    """What has outlived its time isn't found any more."""

    async def scenario() -> None:
        async with cache_at(redis_server.url, ttl_seconds=1) as (cache, _):
            await kept(cache, (b"k", b"v"))

            async def gone() -> bool:
                return await cache.look_up([b"k"]) == [None]

            await until(gone)

    run(scenario())


def test_nobody_listens() -> None:
    """A refused connection costs a look-up no more than the time-out, and no error."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url in (f"redis://127.0.0.1:{port}", "unix:///nowhere/redis.sock"):
        assert run(seconds_of_a_miss(url)) < TIMEOUT_SECONDS


def test_silent_server() -> None:
    """A server that accepts and never answers costs a look-up the time-out, and no error."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        spent = run(seconds_of_a_miss(f"redis://127.0.0.1:{silent.getsockname()[1]}"))
    assert TIMEOUT_SECONDS * 0.9 < spent < TIMEOUT_SECONDS + GRACE_SECONDS


def test_server_that_hangs_and_comes_back(redis_server: RedisServer) -> None:
    """A Redis that hangs costs look-ups the time-out until the breaker opens; then it serves again."""

    async def scenario() -> None:
        async with cache_at(redis_server.url, TIMEOUT_SECONDS) as (cache, errors):
            await kept(cache, (b"k", b"v"))
            before = errors.total()
            redis_server.pause()
            loop = asyncio.get_running_loop()
            spent = []
            async with asyncio.timeout(PATIENCE_SECONDS):
                while cache.breaker.closed:
                    started = loop.time()
                    assert await cache.look_up([b"k"]) is None
                    spent.append(loop.time() - started)
            assert min(spent) < TIMEOUT_SECONDS + GRACE_SECONDS
            # Three calls of Redis, in each of which ten look-ups may wait; none is tried again.
            assert len(spent) < 2 * 3 * CONNECTION_PATIENCE
            assert errors.total() - before == 3

            started = loop.time()
            for _ in range(100):
                assert await cache.look_up([b"k"]) is None
            assert loop.time() - started < TIMEOUT_SECONDS, "an open breaker costs nothing"
            assert errors.total() - before == 3

            redis_server.resume()
            await until(lambda: holds(cache, b"k"))
            assert cache.breaker.closed

    try:
        run(scenario())
    finally:
        redis_server.resume()


def test_many_waiting_are_one_failure(redis_server: RedisServer) -> None:
    """One answer that is late for a hundred look-ups doesn't open the breaker."""

    async def scenario() -> None:
        async with cache_at(redis_server.url, TIMEOUT_SECONDS) as (cache, errors):
            redis_server.pause()
            found = await asyncio.gather(*(cache.look_up([b"k"]) for _ in range(100)))
            redis_server.resume()
            assert found == [None] * 100
            assert errors.total() == 1
            assert cache.breaker.closed

    try:
        run(scenario())
    finally:
        redis_server.resume()


def test_server_that_dies_and_comes_back(redis_server: RedisServer) -> None:
    """A Redis that is killed costs no error; started again it is used again."""

    async def scenario() -> None:
        async with cache_at(redis_server.url) as (cache, errors):
            await kept(cache, (b"k", b"v"))
            redis_server.stop()
            for _ in range(3):
                assert await cache.look_up([b"k"]) is None
                cache.store(b"k", b"v")
            assert not cache.breaker.closed
            assert errors.total() >= 3
            redis_server.start()

            async def written_again() -> bool:
                cache.store(b"k", b"w")
                return await cache.look_up([b"k"]) == [b"w"]

            await until(written_again)
            assert cache.breaker.closed

    run(scenario())


def test_full_server(redis_server: RedisServer) -> None:
    """A Redis without room goes on giving what it holds; what it can't take is counted and dropped."""

    async def scenario() -> None:
        async with cache_at(redis_server.url) as (cache, errors):
            await kept(cache, (b"old", b"v"))
            redis_server.tell("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1")
            cache.store(b"new", b"v")

            await until(lambda: bool(errors))
            assert set(errors) == {("set", "OutOfMemoryError")}
            assert await cache.look_up([b"old", b"new"]) == [b"v", None]
            assert cache.breaker.closed
            redis_server.tell("CONFIG", "SET", "maxmemory", "0")
            await kept(cache, (b"new", b"v"))

    run(scenario())


def test_writes_wait_for_nobody(redis_server: RedisServer) -> None:
    """Storing returns at once while Redis hangs; what would pile up beyond the limit is dropped."""
    extra = 500

    async def scenario() -> None:
        async with cache_at(redis_server.url) as (cache, errors):
            redis_server.pause()
            for i in range(MAX_PENDING_WRITES + extra):
                cache.store(b"%d" % i, b"v")
            redis_server.resume()
            await until(lambda: holds(cache, b"%d" % (MAX_PENDING_WRITES - 1)))
            assert await cache.look_up([b"0", b"%d" % MAX_PENDING_WRITES]) == [b"v", None]
            assert not errors

    try:
        run(scenario())
    finally:
        redis_server.resume()
    assert redis_server.tell("DBSIZE") == MAX_PENDING_WRITES


def test_writes_that_come_meanwhile(redis_server: RedisServer) -> None:
    """What is stored while a write is under way is written after it."""

    async def scenario() -> None:
        async with cache_at(redis_server.url) as (cache, _):
            for i in range(200):
                cache.store(b"%d" % i, b"v")
                await asyncio.sleep(0)
            await until(lambda: holds(cache, b"199"))

    run(scenario())
    assert redis_server.tell("DBSIZE") == 200


def test_closing_leaves_nothing(redis_server: RedisServer) -> None:
    """A cache that is closed while Redis hangs ends at once, probe and calls included."""

    async def scenario() -> None:
        before = asyncio.all_tasks()
        async with cache_at(redis_server.url, TIMEOUT_SECONDS) as (cache, _):
            redis_server.pause()
            cache.store(b"k", b"v")
            for _ in range(3):
                await cache.look_up([b"k"])
        # redis-py may still be letting go of a connection, a few turns of the loop away.
        await until(lambda: asyncio.all_tasks() == before)

    try:
        run(scenario())
    finally:
        redis_server.resume()
