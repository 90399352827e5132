"""Batching without a timer: queries come in one by one, go to the engine together, and part again.

While the engine works, what arrives waits; then all that wait for the same version and outputs go in
one call. An idle engine starts at the end of the same turn of the event loop, so a lone request waits
for nobody; only right after a call it rests for a fraction of the time that a further one would cost. A
call that is cheaper than being handed to a thread runs on the loop itself; the others share one worker
thread: the loop stays free, and calls don't compete.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from service.errors import Overloaded, TooLate
from service.inference import Columns, Inference, infer
from service.queue import Query, Queue

# Of what a call costs however many rows it has: so much is soon regained by a call that is saved.
PAUSE = 0.15

TOO_LATE = "the deadline passed before the answer was there"


class Batcher:
    """The queues before the engines of one replica. Belongs to one event loop."""

    def __init__(self, max_queue_rows: int, max_batch_rows: int) -> None:
        self.queued_rows = 0
        self._max_queue_rows = max_queue_rows
        # As much in one call as the loop may stand still for.
        self._cheap = Queue(lambda version: min(version.cost.inline_rows, max_batch_rows))
        self._slow = Queue(lambda version: max_batch_rows)
        self._inline = self._threaded = False  # whether a call is on its way
        self._pause: asyncio.TimerHandle | None = None
        self._enough = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")

    def submit(self, query: Query) -> "asyncio.Future[Columns]":
        """Queue rows and return a future of their answer; raise `Overloaded` if the queue is full."""
        if self.queued_rows + query.count > self._max_queue_rows:
            raise Overloaded(
                f"{self.queued_rows} rows wait already and {self._max_queue_rows} may; "
                "try again in a second"
            )
        loop = asyncio.get_running_loop()
        query.answer = answer = loop.create_future()
        query.arrived = time.perf_counter()
        self.queued_rows += query.count
        if query.inline:
            self._cheap.put(query)
            if not self._inline:
                self._inline = True
                loop.call_soon(self._run_inline)
        else:
            self._slow.put(query)
            if self._pause is not None and self.queued_rows >= self._enough:
                self._end_pause()
            if not self._threaded:
                self._threaded = True
                loop.call_soon(self._run_threaded)
        return answer

    def close(self) -> None:
        """Stop the worker thread once its call is done."""
        if self._pause is not None:
            self._pause.cancel()
        self._thread.shutdown(wait=False)

    def _run_inline(self) -> None:
        """Run one batch on the loop, and what is left in the loop's next turn."""
        batch = self._take(self._cheap)
        if batch:
            _settle(batch, infer(batch[0].version, batch[0].outputs, [each.rows for each in batch]))
        self._inline = bool(self._cheap)
        if self._inline:
            asyncio.get_running_loop().call_soon(self._run_inline)

    def _run_threaded(self) -> None:
        """Hand the next batch to the thread."""
        while self._slow:
            batch = self._take(self._slow)
            if batch:
                parts = [each.rows for each in batch]
                call = asyncio.get_running_loop().run_in_executor(
                    self._thread, infer, batch[0].version, batch[0].outputs, parts
                )
                call.add_done_callback(partial(self._finish, batch))
                return
        self._threaded = False

    def _finish(self, batch: list[Query], call: "asyncio.Future[Inference]") -> None:
        """Answer a batch; then give those who were answered a moment to come back.

        Clients that ask again as soon as they are answered would otherwise fall into two halves that
        take turns, and each call would have half of the rows that it could have had.
        """
        version = batch[0].version
        for seconds, rows in call.result().calls:
            version.call_cost.learn(seconds, rows)
        self._enough = self.queued_rows + sum(query.count for query in batch)
        pause = PAUSE * version.call_cost.fixed
        self._pause = asyncio.get_running_loop().call_later(pause, self._end_pause)
        _settle(batch, call.result())

    def _end_pause(self) -> None:
        assert self._pause is not None
        self._pause.cancel()
        self._pause = None
        self._run_threaded()

    def _take(self, queue: Queue) -> list[Query]:
        """Take the next batch; queries that nobody waits for any more are dropped."""
        now = asyncio.get_running_loop().time()
        wanted = []
        for query in queue.take():
            self.queued_rows -= query.count
            assert query.answer is not None
            if query.answer.done():
                continue
            if query.deadline < now:
                query.answer.set_exception(TooLate(TOO_LATE))
                continue
            wanted.append(query)
        return wanted


def _settle(batch: list[Query], inference: Inference) -> None:
    """Give every query its outcome, except those that nobody waits for any more, and count the call."""
    version = batch[0].version
    counts = version.counts
    for seconds, rows in inference.calls:
        counts.inferred(seconds, rows)
        version.gate.computed(seconds, rows)
    began = inference.began
    for query, outcome in zip(batch, inference.outcomes, strict=True):
        query.inference = inference
        counts.queue_seconds.observe(began - query.arrived)
        answer = query.answer
        if answer is None or answer.done():
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
