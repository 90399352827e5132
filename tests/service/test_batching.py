"""Batching: what waits goes to the engine together, and everybody gets their own answer."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from service.batching import Batcher
from service.cost import Cost
from service.counting.counts import Counts
from service.errors import BadInput, Overloaded, TooLate
from service.inference import Columns
from service.queue import Query
from service.rows import TensorRows
from service.version import LoadedVersion
from tests.fakes import (
    BREAK,
    PATIENCE_SECONDS,
    REFUSE,
    STOP,
    FakeEngine,
    fake_answer,
    fake_version,
    pairs,
)
from tests.polling import run

PREDICT = ("predict",)
ROUNDS = 4
BOTH = ("predict_proba", "predict")


class Bench:
    """A batcher and one version with a fake engine."""

    def __init__(self, max_queue_rows: int = 1000, max_batch_rows: int = 100) -> None:
        self.batcher = Batcher(max_queue_rows, max_batch_rows)
        self.engine = FakeEngine()
        self.version = fake_version(self.engine)

    def submit(
        self,
        *rows: tuple[float, float],
        version: LoadedVersion | None = None,
        outputs: tuple[str, ...] = PREDICT,
        seconds: float = PATIENCE_SECONDS,
    ) -> asyncio.Future[Columns]:
        """Queue rows; `seconds` is the time they have."""
        deadline = asyncio.get_running_loop().time() + seconds
        return self.batcher.submit(Query(version or self.version, pairs(*rows), outputs, deadline))

    @asynccontextmanager
    async def held_up(self, n_rows: int = 1) -> AsyncIterator[None]:
        """Keep the engine busy with rows of zeros, so that whatever comes meanwhile waits."""
        self.engine.may_go_on.clear()
        busy = self.submit(*[(0, 0)] * n_rows)
        assert await asyncio.to_thread(self.engine.entered.wait, PATIENCE_SECONDS)
        try:
            yield
        finally:
            self.engine.may_go_on.set()
            await busy


@asynccontextmanager
async def bench(**limits: int) -> AsyncIterator[Bench]:
    """Return a bench and end its thread."""
    made = Bench(**limits)
    try:
        yield made
    finally:
        made.batcher.close()


async def failure(job: asyncio.Future[Columns]) -> BaseException | None:
    """Wait for a job and return what it failed with."""
    await asyncio.wait({job})
    return job.exception()


def test_a_lone_request_is_answered() -> None:
    """An idle engine takes a lone request at once; the answer has an entry for each row and output."""

    async def scenario() -> None:
        async with bench() as it:
            answer = await it.submit((1, 2), (3, 4), outputs=BOTH)
            assert answer == {"predict": [3, 7], "predict_proba": [[3, -3], [7, -7]]}
            assert it.engine.calls == [([[1, 2], [3, 4]], BOTH)]

    run(scenario())


def test_what_comes_in_one_turn_goes_together() -> None:
    """Requests that arrive in the same turn of the loop share one call of the engine."""

    async def scenario() -> None:
        async with bench() as it:
            answers = await asyncio.gather(*(it.submit((i, 1)) for i in range(20)))
            assert [answer["predict"] for answer in answers] == [[i + 1] for i in range(20)]
            assert len(it.engine.calls) == 1

    run(scenario())


def test_the_engine_does_not_block_the_loop() -> None:
    """While the engine works the loop goes on, and all that comes meanwhile is one further call."""

    async def scenario() -> None:
        async with bench() as it:
            async with it.held_up():
                jobs = [it.submit((i, i)) for i in range(5)]
                await asyncio.wait(jobs, timeout=0.01)
                assert not any(job.done() for job in jobs)
                assert len(it.engine.calls) == 1
            for i, job in enumerate(jobs):
                assert (await job)["predict"] == [2 * i]
            assert len(it.engine.calls) == 2

    run(scenario())


def test_everybody_gets_their_own_answer() -> None:
    """Mixed requests of three versions and two sets of outputs: each its own answer, six calls."""

    async def scenario() -> None:
        async with bench() as it:
            engines = {factor: FakeEngine(factor) for factor in (1.0, 10.0, 100.0)}
            versions = {
                factor: fake_version(engine, number=int(factor)) for factor, engine in engines.items()
            }
            random = np.random.default_rng(0)
            asked = []
            async with it.held_up():
                for _ in range(90):
                    factor = float(random.choice([1, 10, 100]))
                    outputs = PREDICT if random.random() < 0.5 else BOTH
                    values = random.random((random.integers(1, 4), 2)) + 1
                    rows = [tuple(row) for row in values.tolist()]
                    job = it.submit(*rows, version=versions[factor], outputs=outputs)
                    asked.append((job, values, factor, outputs))
            for job, values, factor, outputs in asked:
                columns: dict[str, Any] = await job
                assert set(columns) == set(outputs)
                for name in outputs:
                    assert columns[name] == fake_answer(values, name, factor).tolist()
            for engine in engines.values():
                assert {outputs for _, outputs in engine.calls} == {PREDICT, BOTH}
                # No more rows in a batch than allowed, and no more batches than that takes.
                assert all(len(rows) <= 100 for rows, _ in engine.calls)
                assert len(engine.calls) == 2

    run(scenario())


def test_versions_take_turns() -> None:
    """A version that is asked a lot doesn't keep another one waiting: their batches alternate."""

    async def scenario() -> None:
        async with bench(max_batch_rows=2) as it:
            other = fake_version(it.engine, number=2)
            async with it.held_up():
                many = [it.submit((1, i)) for i in range(6)]
                one = it.submit((2, 0), version=other)
            await asyncio.gather(one, *many)
            firsts = [rows[0][0] for rows, _ in it.engine.calls[1:]]
            assert firsts == [1, 2, 1, 1]

    run(scenario())


def test_a_batch_has_its_limit() -> None:
    """Jobs are put together up to the limit of a batch; a larger one goes alone, in one piece."""

    async def scenario() -> None:
        async with bench(max_batch_rows=4) as it:
            async with it.held_up():
                jobs = [it.submit(*[(i, 0)] * rows) for i, rows in enumerate([3, 1, 2, 9, 4])]
            await asyncio.gather(*jobs)
            assert [len(rows) for rows, _ in it.engine.calls] == [1, 4, 2, 9, 4]

    run(scenario())


def test_a_bad_row_spoils_nobody_else() -> None:
    """A row that the model can't take is the fault of its own request; the others are answered."""

    async def scenario() -> None:
        async with bench() as it:
            jobs = [it.submit((first, 1)) for first in (1, REFUSE, 2)]
            assert (await jobs[0])["predict"] == [2]
            assert (await jobs[2])["predict"] == [3]
            refusal = await failure(jobs[1])
            assert isinstance(refusal, BadInput)
            assert str(refusal) == "m can't use this input: can't take it"
            assert isinstance(refusal.__cause__, ValueError)

    run(scenario())


@pytest.mark.parametrize("order", [BREAK, STOP])
def test_a_broken_model_is_no_bad_input(order: float) -> None:
    """Another error of the model is its own fault, and the engine goes on with the next request."""

    async def scenario() -> None:
        async with bench() as it:
            error = await failure(it.submit((order, 1)))
            assert isinstance(error, RuntimeError)
            assert (await it.submit((1, 1)))["predict"] == [2]

    run(scenario())


def test_a_model_that_loses_rows() -> None:
    """A model that gives fewer answers than it got rows is never trusted with whose is whose."""

    class Forgetful(FakeEngine):
        def run(self, rows: TensorRows, outputs: tuple[str, ...]) -> dict[str, Any]:
            return {name: values[1:] for name, values in super().run(rows, outputs).items()}

    async def scenario() -> None:
        async with bench() as it:
            version = fake_version(Forgetful())
            error = await failure(it.submit((1, 1), (2, 2), version=version))
            assert isinstance(error, RuntimeError)
            assert "predict gave 1 answers for 2 rows" in str(error)

    run(scenario())


def test_a_full_queue_refuses() -> None:
    """Rows beyond the limit are refused at once and never computed; later there is room again."""

    async def scenario() -> None:
        async with bench(max_queue_rows=5) as it:
            async with it.held_up():
                waiting = [it.submit((1, 1), (2, 2)) for _ in range(2)]
                with pytest.raises(Overloaded, match="4 rows wait already and 5 may"):
                    it.submit((7, 7), (8, 8))
                waiting.append(it.submit((3, 3)))
                with pytest.raises(Overloaded):
                    it.submit((7, 7))
                assert it.batcher.queued_rows == 5
            await asyncio.gather(*waiting)
            assert it.engine.rows_computed == 1 + 5
            await it.submit((4, 4))
            assert it.batcher.queued_rows == 0

    run(scenario())


def test_nobody_works_past_the_deadline() -> None:
    """What waited past its deadline fails as too late and never reaches the engine."""

    async def scenario() -> None:
        async with bench() as it:
            async with it.held_up():
                late, punctual = it.submit((7, 7), seconds=-0.001), it.submit((1, 1))
            assert isinstance(await failure(late), TooLate)
            assert (await punctual)["predict"] == [2]
            assert [rows for rows, _ in it.engine.calls] == [[[0, 0]], [[1, 1]]]

    run(scenario())


def test_nobody_works_for_nobody() -> None:
    """A request whose client has left while it waited never reaches the engine."""

    async def scenario() -> None:
        async with bench() as it:
            async with it.held_up():
                left, stayed = it.submit((7, 7)), it.submit((1, 1))
                left.cancel()
            await stayed
            assert [rows for rows, _ in it.engine.calls] == [[[0, 0]], [[1, 1]]]
            assert it.batcher.queued_rows == 0

    run(scenario())


def test_a_client_that_leaves_meanwhile_hurts_nobody() -> None:
    """A request that is cancelled while the engine works on it doesn't stop those after it."""

    async def scenario() -> None:
        async with bench() as it:
            async with it.held_up():
                pass
            it.engine.entered.clear()
            it.engine.may_go_on.clear()
            left, stayed = it.submit((7, 7)), it.submit((1, 1))
            assert await asyncio.to_thread(it.engine.entered.wait, PATIENCE_SECONDS)
            left.cancel()
            it.engine.may_go_on.set()
            assert (await stayed)["predict"] == [2]
            assert (await it.submit((2, 2)))["predict"] == [4]

    run(scenario())


def test_calls_are_counted() -> None:
    """Each call of the engine is counted once, with its duration and rows, and each request's wait."""

    async def scenario() -> Counts:
        async with bench() as it:
            await asyncio.gather(it.submit((1, 1)), it.submit((2, 2), (3, 3)))
            await it.submit((4, 4))
            return it.version.counts

    counts = run(scenario())
    assert sum(counts.inference_seconds.buckets) == 2
    assert counts.inference_seconds.sum > 0
    assert counts.batch_rows.cumulative()[:3] == [("1.0", 1), ("2.0", 1), ("4.0", 2)]
    assert sum(counts.queue_seconds.buckets) == 3
    assert counts.queue_seconds.sum > 0


class Slow(FakeEngine):
    """Takes long for a call, however many rows it has."""

    def run(self, rows: TensorRows, outputs: tuple[str, ...]) -> dict[str, Any]:
        """Answer late."""
        time.sleep(0.05)
        return super().run(rows, outputs)


def test_who_comes_back_goes_together() -> None:
    """Clients who ask again soon after they were answered share the next call, too."""

    async def client(it: Bench, version: LoadedVersion, turns: int) -> None:
        for _ in range(ROUNDS):
            assert (await it.submit((1, 1), version=version))["predict"] == [2]
            for _ in range(turns):  # one comes back a little later than the other
                await asyncio.sleep(0)

    async def scenario() -> None:
        async with bench() as it:
            version = fake_version(Slow())
            await asyncio.gather(*(client(it, version, turns) for turns in range(1, 9)))
            assert [len(rows) for rows, _ in version.engine.calls] == [8] * ROUNDS

    run(scenario())


def test_a_pause_ends_by_itself() -> None:
    """After a call somebody new is answered though those who were answered don't come back."""

    async def scenario() -> None:
        async with bench() as it:
            version = fake_version(Slow())
            await asyncio.gather(*(it.submit((1, 1), version=version) for _ in range(8)))
            assert (await it.submit((2, 2), version=version))["predict"] == [4]
            assert [len(rows) for rows, _ in version.engine.calls] == [8, 1]

    run(scenario())


@pytest.mark.parametrize(("seconds_a_row", "on_the_loop"), [(1e-6, True), (1.0, False)])
def test_cheap_calls_run_on_the_loop(seconds_a_row: float, on_the_loop: bool) -> None:
    """A call that is cheaper than handing it over runs in the loop's own thread, a dear one doesn't."""

    class Noting(FakeEngine):
        def run(self, rows: TensorRows, outputs: tuple[str, ...]) -> dict[str, Any]:
            threads.append(threading.get_ident())
            return super().run(rows, outputs)

    async def scenario() -> None:
        async with bench() as it:
            version = fake_version(Noting())
            version.cost = Cost(0.0, seconds_a_row)
            answers = await asyncio.gather(*(it.submit((i, 1), version=version) for i in range(3)))
            assert [answer["predict"] for answer in answers] == [[1], [2], [3]]
            refused = it.submit((REFUSE, 0), version=version)
            assert isinstance(await failure(refused), BadInput)
            assert (await it.submit((1, 1), version=version))["predict"] == [2]
            assert {each == threading.get_ident() for each in threads} == {on_the_loop}

    threads: list[int] = []
    asyncio.run(scenario())


def test_a_large_batch_of_a_cheap_model_leaves_the_loop_free() -> None:
    """What is cheap for a row may be dear for a hundred: then the thread takes it."""

    async def scenario() -> None:
        async with bench() as it:
            it.version.cost = Cost(0.0, 10e-6)
            async with it.held_up(100):
                await asyncio.sleep(0)
            assert len(it.engine.calls) == 1

    asyncio.run(scenario())
