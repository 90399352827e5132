"""The core: a query comes in, its answer goes out. The only module that knows the order of stations.

query → rows → cache → batch → engine → answer. It knows no HTTP and no protocol.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from service.batching import TOO_LATE, Batcher
from service.cache import RowCache
from service.errors import BadInput, TooLate
from service.inference import Columns
from service.queue import CacheState, Query, Source


@dataclass(slots=True)
class Cell:
    """The answer for one row: a value for each output, and what the cache did for it."""

    values: list[Any]
    source: Source


class Predictor:
    """Answers queries. Belongs to one event loop."""

    def __init__(self, batcher: Batcher, cache: RowCache | None, patience_seconds: float) -> None:
        self._batcher = batcher
        self._cache = cache
        self._patience = patience_seconds
        self._flights: dict[bytes, asyncio.Future[Cell]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, query: Query) -> "asyncio.Future[Columns]":
        """Return a future of the answer, which may fail with `TooLate` or `BadInput`.

        Raises `Overloaded`. Whoever no longer waits cancels the future.
        """
        cache = self._cache
        if cache is not None and cache.breaker.closed:
            loop = asyncio.get_running_loop()
            if query.version.gate.lets_through(loop.time()):
                return loop.create_task(self._through_cache(cache, query))
        return self._compute(query)

    def _compute(self, query: Query) -> "asyncio.Future[Columns]":
        """Answer without the cache."""
        answer = self._batcher.submit(query)
        if not query.inline:  # else it is answered before the loop could look at a timer
            # Fails the future at the deadline, at a fifth of what waiting with a timeout costs.
            timer = asyncio.get_running_loop().call_at(query.deadline, _expire, answer)
            answer.add_done_callback(lambda _: timer.cancel())
        return answer

    async def _through_cache(self, cache: RowCache, query: Query) -> Columns:
        """Answer each row from a computation that runs already, from Redis, or by computing it."""
        keys = query.version.keys.of(query.rows, query.outputs)
        loop = asyncio.get_running_loop()
        flights, own = [], []
        for position, key in enumerate(keys):
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = loop.create_future()
                own.append(position)
            flights.append(flight)
        if own:
            # A task of its own: when this client leaves, others may have joined its rows.
            task = loop.create_task(self._fly(cache, query, [keys[i] for i in own], own))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await _until(query.deadline, set(flights))
        try:
            cells = [flight.result() for flight in flights]
        except BadInput:
            if len(own) == len(keys):
                raise
            # The row that the model can't take may be another client's, in a batch that we joined.
            return await self._compute(query)
        joined = len(cells) - len(own)
        sources: list[Source] = [cells[i].source for i in own]
        sources += ["joined"] * joined
        query.sources = sources
        query.cache = _state(sources)
        return {name: [cell.values[i] for cell in cells] for i, name in enumerate(query.outputs)}

    async def _fly(
        self, cache: RowCache, query: Query, keys: list[bytes], positions: list[int]
    ) -> None:
        """Bring the rows at `positions` home, from Redis or the engine, and land their flights."""
        flights = [self._flights[key] for key in keys]
        loop = asyncio.get_running_loop()
        try:
            found = await cache.look_up(keys)
            query.looked_up = time.perf_counter()
            missing = []
            for i, value in enumerate(found or [None] * len(keys)):
                values = None if value is None else _restore(value, len(query.outputs))
                if values is None:
                    missing.append(i)
                else:
                    flights[i].set_result(Cell(values, "hit"))
            if found is not None:
                hits = len(keys) - len(missing)
                query.version.gate.looked_up(len(keys), hits, cache.lookup_seconds, loop.time())
            if missing:
                # Its deadline isn't one client's: whoever joins later relies on it as well.
                rows = query.rows.take([positions[i] for i in missing])
                deadline = loop.time() + self._patience
                asked = Query(query.version, rows, query.outputs, deadline)
                try:
                    computed = await self._batcher.submit(asked)
                finally:
                    query.arrived, query.inference = asked.arrived, asked.inference
                source: Source = "error" if found is None else "miss"
                by_row = zip(*(computed[name] for name in query.outputs), strict=True)
                for i, row in zip(missing, by_row, strict=True):
                    flights[i].set_result(Cell(list(row), source))
                    cache.store(keys[i], msgspec.msgpack.encode(row))
        except Exception as error:  # lands with those who wait for it
            for flight in flights:
                if not flight.done():
                    flight.set_exception(error)
                    flight.exception()  # retrieved: all who waited may have left
        finally:
            for key in keys:
                del self._flights[key]


def _restore(value: bytes, outputs: int) -> list[Any] | None:
    """Return what was stored, or None where it is nothing that we have stored."""
    try:
        values = msgspec.msgpack.decode(value, type=list)
    except msgspec.MsgspecError:
        return None
    return values if len(values) == outputs else None


async def _until(deadline: float, futures: "set[asyncio.Future[Any]]") -> None:
    """Wait for all futures, or raise `TooLate` at the deadline; the futures themselves go on."""
    left = deadline - asyncio.get_running_loop().time()
    _, pending = await asyncio.wait(futures, timeout=left)
    if pending:
        raise TooLate(TOO_LATE)


def _expire(answer: "asyncio.Future[Columns]") -> None:
    if not answer.done():
        answer.set_exception(TooLate(TOO_LATE))


def _state(sources: Sequence[str]) -> CacheState:
    """Sum up for X-Cache what the cache did for the rows."""
    if "error" in sources:
        return "bypass"
    if "miss" not in sources:
        return "redis"
    return "partial" if len(set(sources)) > 1 else "miss"
