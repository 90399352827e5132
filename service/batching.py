"""Batching without a timer: jobs come in one by one, go to the engine together, and part again.

While the engine works, what arrives waits; then all that wait for the same version and outputs go in
one call. An idle engine starts at the end of the same turn of the event loop, so a lone request waits
for nobody. One worker thread for the replica: the loop stays free, and calls don't compete. A call
that is cheaper than being handed to the thread runs on the loop itself.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from service.errors import BadInput, Overloaded, TooLate
from service.rows import Rows
from service.version import LoadedVersion

# Handing a call to the thread and back costs about as much; the loop may well stand still for it.
INLINE_SECONDS = 200e-6

Columns = dict[str, list[Any]]


@dataclass(slots=True)
class Computed:
    """What the engine made of a job's rows, and where the time went."""

    columns: Columns
    queue_seconds: float
    inference_seconds: float


@dataclass(slots=True)
class Job:
    """Rows that wait for the engine. `deadline` is a time of the event loop's clock."""

    rows: Rows
    deadline: float
    answer: asyncio.Future[Computed]
    arrived: float = field(default_factory=time.perf_counter)


class Batcher:
    """The queue before the engines of one replica."""

    def __init__(
        self, max_queue_rows: int, max_batch_rows: int, on_queue: Callable[[int], None]
    ) -> None:
        self._waiting: dict[tuple[LoadedVersion, tuple[str, ...]], deque[Job]] = {}
        self._queued_rows = 0
        self._max_queue_rows = max_queue_rows
        self._max_batch_rows = max_batch_rows
        self._on_queue = on_queue
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._busy = False

    def submit(
        self, version: LoadedVersion, rows: Rows, outputs: tuple[str, ...], deadline: float
    ) -> asyncio.Future[Computed]:
        """Queue rows and return a future of their answer; raise `Overloaded` if the queue is full."""
        if self._queued_rows + len(rows) > self._max_queue_rows:
            raise Overloaded(
                f"{self._queued_rows} rows wait already and {self._max_queue_rows} may; "
                "try again in a second"
            )
        loop = asyncio.get_running_loop()
        job = Job(rows, deadline, loop.create_future())
        self._waiting.setdefault((version, outputs), deque()).append(job)
        self._count(len(rows))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._start_next)
        return job.answer

    def close(self) -> None:
        """Stop the worker thread once its call is done."""
        self._thread.shutdown(wait=False)

    def _count(self, change: int) -> None:
        self._queued_rows += change
        self._on_queue(self._queued_rows)

    def _start_next(self) -> None:
        """Send the next batch to the engine; versions take turns, the oldest queue first."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            key = next(iter(self._waiting))
            jobs = self._take(key, loop.time())
            if not jobs:
                continue
            if key[0].cost.of(job.rows for job in jobs) <= INLINE_SECONDS:
                _settle(jobs, _run(*key, jobs))
            else:
                call = loop.run_in_executor(self._thread, _run, *key, jobs)
                call.add_done_callback(partial(self._finish, jobs))
                return
        self._busy = False

    def _take(self, key: tuple[LoadedVersion, tuple[str, ...]], now: float) -> list[Job]:
        """Take the jobs of the next batch from a queue; those that nobody waits for are dropped."""
        queue = self._waiting.pop(key)
        jobs: list[Job] = []
        rows = 0
        while queue and (not jobs or rows + len(queue[0].rows) <= self._max_batch_rows):
            job = queue.popleft()
            self._count(-len(job.rows))
            if job.answer.done():
                continue
            if job.deadline < now:
                job.answer.set_exception(TooLate("the deadline passed while the request waited"))
                continue
            jobs.append(job)
            rows += len(job.rows)
        if queue:
            self._waiting[key] = queue
        return jobs

    def _finish(self, jobs: list[Job], call: "asyncio.Future[list[Computed | Exception]]") -> None:
        _settle(jobs, call.result())
        self._start_next()


def _settle(jobs: list[Job], outcomes: list[Computed | Exception]) -> None:
    """Give every job its outcome, except those that nobody waits for any more."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.answer.done():
            continue
        if isinstance(outcome, Exception):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)


def _run(
    version: LoadedVersion, outputs: tuple[str, ...], jobs: list[Job]
) -> list[Computed | Exception]:
    """Answer every job. One job's bad row doesn't spoil the others' answers."""
    try:
        return _run_together(version, outputs, jobs)
    except Exception as error:  # whatever a user's model raises
        if len(jobs) == 1:
            return [_blame(version, error)]
        return [_run(version, outputs, [job])[0] for job in jobs]


def _run_together(
    version: LoadedVersion, outputs: tuple[str, ...], jobs: list[Job]
) -> list[Computed | Exception]:
    started = time.perf_counter()
    first, *others = (job.rows for job in jobs)
    batch = first.join(others) if others else first
    arrays = version.engine.run(batch, outputs)
    for name, array in arrays.items():
        if len(array) != len(batch):
            raise RuntimeError(f"{name} gave {len(array)} answers for {len(batch)} rows")
    lists = {name: array.tolist() for name, array in arrays.items()}
    spent = time.perf_counter() - started
    version.observe_inference(spent, len(batch))
    answers: list[Computed | Exception] = []
    begin = 0
    for job in jobs:
        end = begin + len(job.rows)
        columns = {name: values[begin:end] for name, values in lists.items()}
        answers.append(Computed(columns, started - job.arrived, spent))
        begin = end
    return answers


def _blame(version: LoadedVersion, error: Exception) -> Exception:
    """Tell a row that the model can't take from a model that is broken."""
    if isinstance(error, ValueError | TypeError | KeyError):
        refusal = BadInput(f"{version.name} can't use this input: {error}")
        refusal.__cause__ = error
        return refusal
    if isinstance(error, StopIteration):  # a future can't carry it
        failure = RuntimeError(f"{version.name} raised StopIteration")
        failure.__cause__ = error
        return failure
    return error
