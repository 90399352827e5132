"""The core: a query comes in, its answer goes out. The only module that knows the order of stations.

query → rows → cache → batch → engine → answer. It knows no HTTP and no protocol.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from service.batching import Batcher, Columns, Computed
from service.cache import RowCache
from service.errors import BadInput, TooLate
from service.metrics import Metrics
from service.rows import Rows
from service.version import LoadedVersion

TOO_LATE = "the deadline passed before the answer was there"

CacheState = Literal["redis", "partial", "miss", "bypass"]
Source = Literal["hit", "joined", "miss", "bypass", "error"]


@dataclass(slots=True)
class Query:
    """Rows for one version, checked against its signature; `deadline` is of the loop's clock."""

    version: LoadedVersion
    rows: Rows
    outputs: tuple[str, ...]
    deadline: float


@dataclass(slots=True)
class Answer:
    """One list for each output, with an entry for each row, and where it came from."""

    columns: Columns
    cache: CacheState


@dataclass(slots=True)
class Cell:
    """The answer for one row: a value for each output, and what the cache did for it."""

    values: list[Any]
    source: Source


class Predictor:
    """Answers queries. Belongs to one event loop."""

    def __init__(
        self, batcher: Batcher, cache: RowCache | None, metrics: Metrics, patience_seconds: float
    ) -> None:
        self._batcher = batcher
        self._cache = cache
        self._metrics = metrics
        self._patience = patience_seconds
        self._flights: dict[bytes, asyncio.Future[Cell]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, query: Query) -> Answer:
        """Answer a query; raise `Overloaded`, `TooLate` or `BadInput`."""
        cache = self._cache
        if cache is not None and cache.breaker.closed:
            return await self._through_cache(cache, query)
        return await self._compute(query)

    async def _compute(self, query: Query) -> Answer:
        """Answer without the cache."""
        self._metrics.of(query.version).cached("bypass", len(query.rows))
        job = self._batcher.submit(query.version, query.rows, query.outputs, query.deadline)
        # A future of our own may simply be failed at the deadline, at a fifth of what waiting with
        # a timeout costs. Failed or cancelled, the batcher drops it: nobody waits any more.
        timer = asyncio.get_running_loop().call_at(query.deadline, _expire, job)
        try:
            computed = await job
        finally:
            timer.cancel()
        return Answer(computed.columns, "bypass")

    async def _through_cache(self, cache: RowCache, query: Query) -> Answer:
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
        sources = [cells[i].source for i in own] + ["joined"] * joined
        metrics = self._metrics.of(query.version)
        for source in set(sources):
            metrics.cached(source, sources.count(source))
        columns = {name: [cell.values[i] for cell in cells] for i, name in enumerate(query.outputs)}
        return Answer(columns, _state(sources))

    async def _fly(
        self, cache: RowCache, query: Query, keys: list[bytes], positions: list[int]
    ) -> None:
        """Bring the rows at `positions` home, from Redis or the engine, and land their flights."""
        flights = [self._flights[key] for key in keys]
        try:
            found = await cache.look_up(keys)
            missing = []
            for i, value in enumerate(found or [None] * len(keys)):
                if value is None:
                    missing.append(i)
                else:
                    flights[i].set_result(Cell(msgspec.msgpack.decode(value), "hit"))
            if missing:
                # Its deadline isn't one client's: whoever joins later relies on it as well.
                deadline = asyncio.get_running_loop().time() + self._patience
                rows = query.rows.take([positions[i] for i in missing])
                job = await self._batcher.submit(query.version, rows, query.outputs, deadline)
                source: Source = "error" if found is None else "miss"
                by_row = zip(*(job.columns[name] for name in query.outputs), strict=True)
                for i, values in zip(missing, by_row, strict=True):
                    flights[i].set_result(Cell(list(values), source))
                    cache.store(keys[i], msgspec.msgpack.encode(values))
        except Exception as error:  # lands with those who wait for it
            for flight in flights:
                if not flight.done():
                    flight.set_exception(error)
                    flight.exception()  # retrieved: all who waited may have left
        finally:
            for key in keys:
                del self._flights[key]


async def _until(deadline: float, futures: "set[asyncio.Future[Any]]") -> None:
    """Wait for all futures, or raise `TooLate` at the deadline; the futures themselves go on."""
    left = deadline - asyncio.get_running_loop().time()
    _, pending = await asyncio.wait(futures, timeout=left)
    if pending:
        raise TooLate(TOO_LATE)


def _expire(job: "asyncio.Future[Computed]") -> None:
    if not job.done():
        job.set_exception(TooLate(TOO_LATE))


def _state(sources: Sequence[str]) -> CacheState:
    """Sum up for X-Cache what the cache did for the rows."""
    if "error" in sources:
        return "bypass"
    if "miss" not in sources:
        return "redis"
    return "partial" if len(set(sources)) > 1 else "miss"
