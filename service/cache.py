"""The shared prediction cache: keys of rows come in, their cached answers or None go out.

One MGET is on its way at a time; look-ups that come meanwhile wait and travel together in the next,
as rows do before the engine. Writes likewise, in a pipeline, after the reply. Whatever Redis does, a
look-up costs its request at most the timeout and never an error: the cache fails open, because an
answer can always be computed.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.breaker import Breaker
from service.gate import LOOKUP_SECONDS

MAX_PENDING_WRITES = 10_000
CONNECTION_PATIENCE = 10  # a silent connection is dropped after this many look-up timeouts

Found = list[bytes | None] | None  # None: Redis wasn't asked or didn't answer


class RowCache:
    """Answers by key, in Redis. Belongs to one event loop; make it after the worker has forked."""

    def __init__(
        self,
        url: str,
        ttl_seconds: int,
        timeout_seconds: float,
        on_error: Callable[[str, str], None] = lambda operation, reason: None,
        on_lookup: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._ttl_seconds = ttl_seconds
        self._timeout = timeout_seconds
        self._on_error = on_error
        self._on_lookup = on_lookup
        # redis-py's defaults are 5 s and 10 retries: a request would wait a minute for a silent
        # server. https://redis.readthedocs.io/en/stable/retry.html
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=timeout_seconds * CONNECTION_PATIENCE,
            socket_connect_timeout=timeout_seconds * CONNECTION_PATIENCE,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
        self.breaker = Breaker(self._ping)
        self._asked: list[tuple[Sequence[bytes], asyncio.Future[Found]]] = []
        self._to_write: list[tuple[bytes, bytes]] = []
        self._reading = False
        self._writing = False
        self._calls = self._blamed = 0
        self.lookup_seconds = LOOKUP_SECONDS
        self._tasks: set[asyncio.Task[None]] = set()

    async def look_up(self, keys: Sequence[bytes]) -> Found:
        """Return a value or None for each key; None alone when Redis can't tell in time."""
        if not self.breaker.closed:
            return None
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()
        self._asked.append((keys, answer))
        if not self._reading:
            self._reading = True
            loop.call_soon(lambda: self._spawn(self._read()))
        timer = loop.call_later(self._timeout, self._give_up_unless_busy, answer)
        try:
            return await answer
        finally:
            timer.cancel()

    def store(self, key: bytes, value: bytes) -> None:
        """Write soon, off the request's path; dropped when Redis is away or far behind."""
        if not self.breaker.closed or len(self._to_write) >= MAX_PENDING_WRITES:
            return
        self._to_write.append((key, value))
        if not self._writing:
            self._writing = True
            asyncio.get_running_loop().call_soon(lambda: self._spawn(self._write()))

    async def open(self) -> None:
        """Connect beforehand, so that the first request doesn't wait for it. Failing is no error."""
        await self._ping()

    async def close(self) -> None:
        """Let go of the connections."""
        await self.breaker.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self) -> None:
        """Send what waits in one MGET, and what has come meanwhile in the next."""
        while asked := [each for each in self._asked if not each[1].done()]:
            self._asked = []
            self._calls += 1
            wanted = [key for keys, _ in asked for key in keys]
            started = time.perf_counter()
            try:
                values: Any = await self._redis.mget(wanted)
            except (RedisError, OSError) as error:
                for _, answer in asked:
                    self._give_up(answer, type(error).__name__)
                continue
            seconds = time.perf_counter() - started
            self._on_lookup(seconds)
            self._learn(seconds / len(wanted))
            begin = 0
            for keys, answer in asked:
                if not answer.done():
                    self.breaker.succeeded()
                    answer.set_result(values[begin : begin + len(keys)])
                begin += len(keys)
        self._asked = []
        self._reading = False

    def _learn(self, seconds: float) -> None:
        """Estimate a key's look-up by the fastest lately: the others waited for a busy loop."""
        self.lookup_seconds = min(seconds, self.lookup_seconds * 1.02)

    def _give_up_unless_busy(self, answer: asyncio.Future[Found], turns: int = 8) -> None:
        """Give up after some more turns of the loop, microseconds apart when it is idle.

        When it is busy, each turn takes milliseconds and the reply needs a few of them: then it is
        the loop that is late and not Redis.
        """
        if turns and not answer.done():
            loop = asyncio.get_running_loop()
            loop.call_soon(self._give_up_unless_busy, answer, turns - 1)
        else:
            self._give_up(answer)

    def _give_up(self, answer: asyncio.Future[Found], reason: str = "timeout") -> None:
        if answer.done():
            return
        if self._blamed != self._calls:  # one failure of Redis, however many wait for it
            self._blamed = self._calls
            self._on_error("get", reason)
            self.breaker.failed()
        answer.set_result(None)

    async def _write(self) -> None:
        """Write what waits in one pipeline, and what has come meanwhile in the next."""
        while self._to_write:
            pairs, self._to_write = self._to_write, []
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for key, value in pairs:
                        # Jitter, or all rows of a first rush would expire in the same moment.
                        ttl = self._ttl_seconds * random.uniform(0.9, 1.1)  # noqa: S311
                        pipeline.set(key, value, px=int(ttl * 1000))
                    await pipeline.execute()
            except (RedisError, OSError) as error:
                self._on_error("set", type(error).__name__)
        self._writing = False

    async def _ping(self) -> bool:
        try:
            async with asyncio.timeout(self._timeout * CONNECTION_PATIENCE):
                return bool(await self._redis.ping())
        except (RedisError, OSError, TimeoutError):
            return False
