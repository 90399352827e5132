"""The core: each row from a running computation, from the cache or from the engine, and never twice.

Hits are proved by the number of rows that the engine has computed.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from service.batching import Batcher
from service.errors import BadInput, Overloaded, TooLate
from service.inference import Columns
from service.predict import Predictor
from service.queue import CacheState, Query
from service.version import LoadedVersion
from tests.fakes import (
    BREAK,
    PATIENCE_SECONDS,
    REFUSE,
    FakeCache,
    FakeEngine,
    fake_version,
    pairs,
)
from tests.polling import run, until

PREDICT = ("predict",)
BOTH = ("predict", "predict_proba")
Row = tuple[float, float]


class Answer(NamedTuple):
    """What was answered, and what the cache did for it."""

    columns: Columns
    cache: CacheState


class Bench:
    """A predictor with a fake cache, and a version with a fake engine."""

    def __init__(self, cached: bool, max_queue_rows: int, patience_seconds: float) -> None:
        self.engine = FakeEngine()
        self.version = fake_version(self.engine)
        self.cache = FakeCache() if cached else None
        self.batcher = Batcher(max_queue_rows, 100)
        self._sources: Counter[str] = Counter()
        self._predictor = Predictor(self.batcher, self.cache, patience_seconds)

    async def ask(
        self,
        *rows: Row,
        version: LoadedVersion | None = None,
        outputs: tuple[str, ...] = PREDICT,
        seconds: float = PATIENCE_SECONDS,
    ) -> Answer:
        """Ask for rows, with `seconds` to answer."""
        deadline = asyncio.get_running_loop().time() + seconds
        query = Query(version or self.version, pairs(*rows), outputs, deadline)
        columns = await self._predictor.answer(query)
        self._sources.update(query.sources or ["bypass"] * query.count)
        return Answer(columns, query.cache)

    async def start(self, *rows: Row, **how: object) -> "asyncio.Task[Answer]":
        """Ask for rows and return while the engine is held up with them."""
        self.engine.entered.clear()
        self.engine.may_go_on.clear()
        task = asyncio.create_task(self.ask(*rows, **how))
        assert await asyncio.to_thread(self.engine.entered.wait, PATIENCE_SECONDS)
        return task

    async def join(self, *rows: Row, **how: object) -> "asyncio.Task[Answer]":
        """Ask for rows that are on their way already, and return once that is under way."""
        task = asyncio.create_task(self.ask(*rows, **how))
        for _ in range(5):
            await asyncio.sleep(0)
        return task

    def counted(self, result: str) -> int:
        """Return how many rows of all answers had this source."""
        return self._sources[result]


@asynccontextmanager
async def bench(
    cached: bool = True, max_queue_rows: int = 1000, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[Bench]:
    """Return a bench and end its thread."""
    made = Bench(cached, max_queue_rows, patience_seconds)
    try:
        yield made
    finally:
        made.engine.may_go_on.set()
        made.batcher.close()


def test_miss_then_hit() -> None:
    """The first answer is computed, the second comes from the cache, and both are the same."""

    async def scenario() -> None:
        async with bench() as it:
            computed = await it.ask((1, 2), (3, 4), outputs=BOTH)
            cached = await it.ask((1, 2), (3, 4), outputs=BOTH)
            assert (computed.cache, cached.cache) == ("miss", "redis")
            assert computed.columns == cached.columns
            assert cached.columns == {"predict": [3, 7], "predict_proba": [[3, -3], [7, -7]]}
            assert it.engine.rows_computed == 2
            assert (it.counted("miss"), it.counted("hit")) == (2, 2)

    run(scenario())


def test_partial_hit() -> None:
    """Of a batch only the rows that nobody asked for before are computed, and the order stays."""

    async def scenario() -> None:
        async with bench() as it:
            await it.ask((1, 1), (3, 3))
            answer = await it.ask((4, 4), (3, 3), (2, 2), (1, 1))
            assert answer.cache == "partial"
            assert answer.columns == {"predict": [8, 6, 4, 2]}
            assert it.engine.calls[1:] == [([[4, 4], [2, 2]], PREDICT)]
            assert (it.counted("miss"), it.counted("hit")) == (4, 2)

    run(scenario())


def test_other_outputs_and_versions_do_not_share() -> None:
    """A cached row answers only for its own outputs and version."""

    async def scenario() -> None:
        async with bench() as it:
            other = fake_version(FakeEngine(10.0), number=2)
            await it.ask((1, 2))
            both = await it.ask((1, 2), outputs=BOTH)
            elsewhere = await it.ask((1, 2), version=other)
            assert (both.cache, elsewhere.cache) == ("miss", "miss")
            assert both.columns == {"predict": [3], "predict_proba": [[3, -3]]}
            assert elsewhere.columns == {"predict": [30]}
            assert (await it.ask((1, 2), version=other)).columns == {"predict": [30]}

    run(scenario())


def test_concurrent_equal_rows_are_computed_once() -> None:
    """Twenty clients who ask for one row at a time wait for a single computation."""

    async def scenario() -> None:
        async with bench() as it:
            clients = [await it.start((1, 2))]
            clients += [await it.join((1, 2)) for _ in range(19)]
            it.engine.may_go_on.set()
            answers = await asyncio.gather(*clients)
            assert all(answer.columns == {"predict": [3]} for answer in answers)
            assert it.engine.rows_computed == 1
            assert (it.counted("miss"), it.counted("joined")) == (1, 19)
            assert [answer.cache for answer in answers] == ["miss"] + ["redis"] * 19

    run(scenario())


def test_a_batch_joins_what_runs() -> None:
    """A batch computes only what no other request is computing at that moment."""

    async def scenario() -> None:
        async with bench() as it:
            first = await it.start((1, 1), (2, 2))
            second = await it.join((2, 2), (3, 3))
            it.engine.may_go_on.set()
            assert (await second).columns == {"predict": [4, 6]}
            assert (await second).cache == "partial"
            assert (await first).columns == {"predict": [2, 4]}
            assert [rows for rows, _ in it.engine.calls] == [[[1, 1], [2, 2]], [[3, 3]]]

    run(scenario())


def test_duplicates_in_a_batch_are_computed_once() -> None:
    """A row that a batch holds three times is computed once and answered three times."""

    async def scenario() -> None:
        async with bench() as it:
            answer = await it.ask((1, 1), (2, 2), (1, 1), (1, 1))
            assert answer.columns == {"predict": [2, 4, 2, 2]}
            assert it.engine.calls == [([[1, 1], [2, 2]], PREDICT)]

    run(scenario())


def test_a_client_that_leaves_does_not_hurt_who_joined() -> None:
    """When the client who asked first leaves, those who joined still get the answer."""

    async def scenario() -> None:
        async with bench() as it:
            leaves = await it.start((1, 2))
            stays = await it.join((1, 2))
            leaves.cancel()
            await asyncio.wait({leaves})
            it.engine.may_go_on.set()
            assert (await stays).columns == {"predict": [3]}
            assert it.engine.rows_computed == 1
            assert (await it.ask((1, 2))).cache == "redis"

    run(scenario())


def test_a_joined_client_may_leave() -> None:
    """When a client who joined leaves, the one who asked first still gets the answer."""

    async def scenario() -> None:
        async with bench() as it:
            stays = await it.start((1, 2))
            leaves = await it.join((1, 2))
            leaves.cancel()
            it.engine.may_go_on.set()
            assert (await stays).columns == {"predict": [3]}

    run(scenario())


@pytest.mark.parametrize(("order", "error"), [(REFUSE, BadInput), (BREAK, RuntimeError)])
def test_errors_are_not_cached(order: float, error: type[Exception]) -> None:
    """An error is given to who asked, stored nowhere, and the next request is computed anew."""

    async def scenario() -> None:
        async with bench() as it:
            for calls in (1, 2):
                with pytest.raises(error):
                    await it.ask((order, 0))
                assert len(it.engine.calls) == calls
            assert it.cache.stored == {}

    run(scenario())


def test_an_error_reaches_who_joined() -> None:
    """Clients who joined a row that the model can't take learn it as well."""

    async def scenario() -> None:
        async with bench() as it:
            clients = [await it.start((REFUSE, 0)), await it.join((REFUSE, 0))]
            it.engine.may_go_on.set()
            for outcome in await asyncio.gather(*clients, return_exceptions=True):
                assert isinstance(outcome, BadInput)

    run(scenario())


def test_a_bad_row_of_another_client_spoils_nothing() -> None:
    """Who joined a good row of a batch that fails for another row still gets the answer."""

    async def scenario() -> None:
        async with bench() as it:
            bad = await it.start((1, 1), (REFUSE, 0))
            good = await it.join((1, 1))
            it.engine.may_go_on.set()
            assert (await good).columns == {"predict": [2]}
            with pytest.raises(BadInput):
                await bad

    run(scenario())


def test_cache_that_does_not_answer() -> None:
    """When Redis can't tell in time, the rows are computed, and the reply says that it was bypassed."""

    async def scenario() -> None:
        async with bench() as it:
            await it.ask((1, 2))
            it.cache.answers = False
            answer = await it.ask((1, 2))
            assert (answer.cache, answer.columns) == ("bypass", {"predict": [3]})
            assert it.engine.rows_computed == 2
            assert it.counted("error") == 1

    run(scenario())


def test_open_breaker() -> None:
    """While the breaker is open the cache isn't asked at all; closed again it serves."""

    async def scenario() -> None:
        async with bench() as it:
            await it.ask((1, 2))
            it.cache.breaker.closed = False
            assert (await it.ask((1, 2))).cache == "bypass"
            assert it.counted("bypass") == 1
            it.cache.breaker.closed = True
            assert (await it.ask((1, 2))).cache == "redis"
            assert it.engine.rows_computed == 2

    run(scenario())


def test_without_cache() -> None:
    """Without a cache every request is computed, and says so."""

    async def scenario() -> None:
        async with bench(cached=False) as it:
            for _ in range(2):
                answer = await it.ask((1, 2))
                assert (answer.cache, answer.columns) == ("bypass", {"predict": [3]})
            assert it.engine.rows_computed == 2
            assert it.counted("bypass") == 2

    run(scenario())


@pytest.mark.parametrize("cached", [True, False])
def test_deadline(cached: bool) -> None:
    """At the deadline the client is told so, however long the engine takes."""

    async def scenario() -> None:
        async with bench(cached=cached) as it:
            patient = await it.start((1, 2))
            with pytest.raises(TooLate):
                await it.ask((3, 4), seconds=0.01)
            it.engine.may_go_on.set()
            assert (await patient).columns == {"predict": [3]}

    run(scenario())


def test_too_late_for_one_is_in_time_for_another() -> None:
    """A computation outlives the client who asked first: a more patient one joined it."""

    async def scenario() -> None:
        async with bench() as it:
            hasty = await it.start((1, 2), seconds=0.05)
            patient = await it.join((1, 2))
            with pytest.raises(TooLate):
                await hasty
            it.engine.may_go_on.set()
            assert (await patient).columns == {"predict": [3]}
            assert it.engine.rows_computed == 1

    run(scenario())


def test_waiting_too_long_for_one_is_in_time_for_another() -> None:
    """Also while it waits for the engine a row has as long as the most patient client may have."""

    async def scenario() -> None:
        async with bench() as it:
            busy = await it.start((0, 0))
            hasty = await it.join((1, 2), seconds=0.01)
            patient = await it.join((1, 2))
            with pytest.raises(TooLate):
                await hasty
            it.engine.may_go_on.set()
            assert (await patient).columns == {"predict": [3]}
            await busy

    run(scenario())


def test_no_row_waits_forever() -> None:
    """A row that waited longer than any client may is dropped, and never reaches the engine."""

    async def scenario() -> None:
        loop, patience_seconds = asyncio.get_running_loop(), 0.05
        async with bench(patience_seconds=patience_seconds) as it:
            busy = await it.start((0, 0))
            waits = await it.join((1, 2))
            end = loop.time() + patience_seconds
            await until(lambda: loop.time() > end)
            it.engine.may_go_on.set()
            with pytest.raises(TooLate):
                await waits
            await busy
            assert [rows for rows, _ in it.engine.calls] == [[[0, 0]]]

    run(scenario())


def test_abandoned_without_cache() -> None:
    """Without a cache nobody can join: what was given up before its turn is never computed."""

    async def scenario() -> None:
        async with bench(cached=False) as it:
            busy = await it.start((1, 1))
            left = await it.join((7, 7))
            left.cancel()
            await asyncio.wait({left})
            it.engine.may_go_on.set()
            await busy
            await it.ask((2, 2))
            assert [rows for rows, _ in it.engine.calls] == [[[1, 1]], [[2, 2]]]

    run(scenario())


@pytest.mark.parametrize("cached", [True, False])
def test_overload(cached: bool) -> None:
    """A full queue refuses the request at once, and the next one is welcome when there is room."""

    async def scenario() -> None:
        async with bench(cached=cached, max_queue_rows=2) as it:
            with pytest.raises(Overloaded):
                await it.ask((1, 1), (2, 2), (3, 3))
            assert (await it.ask((1, 1), (2, 2))).columns == {"predict": [2, 4]}

    run(scenario())


def test_nothing_is_left_behind() -> None:
    """However requests end, no flight stays in the air: the same rows are answered afterwards."""

    async def scenario() -> None:
        async with bench(max_queue_rows=2) as it:
            for order in (REFUSE, BREAK):
                with pytest.raises(Exception, match=r"take it|broken"):
                    await it.ask((order, 0), (1, 1))
            with pytest.raises(Overloaded):
                await it.ask((1, 1), (2, 2), (3, 3))
            for row in ((1, 1), (2, 2), (3, 3)):
                assert (await it.ask(row)).columns == {"predict": [sum(row)]}

    run(scenario())
