"""A version in the shadow of others: what they have answered comes in, counts of agreement go out.

`service.exchange` offers rows and answers once the client has its reply, and nothing ever waits for a
shadow: it has a thread of its own, a bounded queue before it, and no more than its share of the time.
"""

import logging
import threading
import time
from collections import deque
from typing import Any, NamedTuple

from service.counting.counts import ShadowCounts
from service.inference import Columns
from service.rows import Rows
from service.shadow.agreement import agree
from service.version import LoadedVersion

log = logging.getLogger(__name__)

MOST_ROWS = 1024  # in one call
# At least so long between two calls, in which rows gather: waking the thread, and it taking Python
# from the loop, cost more than a cheap model's call.
GATHER_SECONDS = 0.01
COMPLAIN_EVERY_SECONDS = 60.0


class _Offer(NamedTuple):
    answered: LoadedVersion
    rows: Rows
    values: list[Any]


class Shadow:
    """Compares one version with whatever answered, by the first of its outputs.

    `share` is the most of the time for which it works, in (0, 1]; with 1 it never rests. Numbers
    agree within `tolerance`, relative to the larger one; a classifier's labels only if they are equal.
    """

    def __init__(
        self,
        version: LoadedVersion,
        counts: ShadowCounts,
        max_queue_rows: int,
        share: float,
        tolerance: float,
    ) -> None:
        self.version = version
        self._counts = counts
        self._max_queue_rows = max_queue_rows
        self._share = share
        self._tolerance = 0.0 if version.signature.classes else tolerance
        self._output = version.signature.outputs[0].name
        self._waiting: deque[_Offer] = deque()
        # Two numbers, because one that both threads change would need a lock.
        self._offered = self._taken = 0
        self._asleep = True
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._complain_at = 0.0

    def offer(self, answered: LoadedVersion, rows: Rows, columns: Columns) -> None:
        """Queue rows and their answers, or count them as dropped if too many wait.

        Called on the event loop alone. An answer without the output that is compared is ignored.
        """
        values = columns.get(self._output)
        if values is None:
            return
        count = len(values)
        if self._offered - self._taken + count > self._max_queue_rows:
            self._counts.dropped[answered.number] += count
            return
        self._offered += count
        self._waiting.append(_Offer(answered, rows, values))
        if self._asleep:
            self._rouse()

    def close(self) -> None:
        """Take no more rows, and end the thread once its call is done. Doesn't wait for that."""
        self._max_queue_rows = 0
        self._closed.set()
        self._wake.set()

    def join(self, patience_seconds: float) -> None:
        """Wait until the thread has ended, after `close`; no longer than `patience_seconds`."""
        if self._thread is not None:
            self._thread.join(patience_seconds)

    def _rouse(self) -> None:
        self._asleep = False
        if self._thread is None:
            name = f"shadow {self.version.name} {self.version.number}"
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()
        self._wake.set()

    def _work(self) -> None:
        """Compare what is offered, until `close`."""
        while self._is_offered():
            began = time.perf_counter()
            self._compare(self._take())
            seconds = rest_seconds(time.perf_counter() - began, self._share)
            if seconds:
                self._closed.wait(seconds)
        self._waiting.clear()

    def _is_offered(self) -> bool:
        """Sleep until rows wait; return False when it is closed."""
        while not (self._waiting or self._closed.is_set()):
            self._asleep = True
            # Looked at once more: what came before the flag stood wakes nobody.
            if not self._waiting:
                self._wake.wait()
            self._wake.clear()
        self._asleep = False
        return not self._closed.is_set()

    def _take(self) -> list[_Offer]:
        """Take what one version answered: one offer at least, and no more rows than a call may have."""
        waiting = self._waiting
        batch = [waiting.popleft()]
        answered, rows = batch[0].answered, len(batch[0].values)
        while waiting and waiting[0].answered is answered:
            more = rows + len(waiting[0].values)
            if more > MOST_ROWS:
                break
            rows = more
            batch.append(waiting.popleft())
        self._taken += rows
        return batch

    def _compare(self, batch: list[_Offer]) -> None:
        """Answer a batch as well, and count the rows; one that fails does so as a whole."""
        answered = batch[0].answered
        values = [value for each in batch for value in each.values]
        failed: Exception | None = None
        agreeing = 0
        try:
            own = self._answer(answered, batch)
            for theirs, mine in zip(values, own, strict=True):
                agreeing += agree(theirs, mine, self._tolerance)
        except Exception as error:  # whatever a user's model raises
            failed = error
        if self._closed.is_set():
            return  # the counts may be another's by now, who has the same version
        compared, number = self._counts.compared, answered.number
        if failed is not None:
            compared[number, "failed"] += len(values)
            self._complain(failed)
        else:
            compared[number, "agree"] += agreeing
            compared[number, "disagree"] += len(values) - agreeing

    def _answer(self, answered: LoadedVersion, batch: list[_Offer]) -> list[Any]:
        theirs, own = answered.signature, self.version.signature
        if (theirs.kind, theirs.columns, theirs.width) != (own.kind, own.columns, own.width):
            raise ValueError(f"it takes other rows than version {answered.number}")
        # Always joined, which copies: a step of somebody's own may write into what it is given.
        rows = batch[0].rows.join([each.rows for each in batch[1:]])
        began = time.perf_counter()
        answers = self.version.engine.run(rows, (self._output,))[self._output]
        self._counts.inference_seconds.observe(time.perf_counter() - began)
        values: list[Any] = answers.tolist()
        return values

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAIN_EVERY_SECONDS
            what = f"{type(error).__name__}: {error}"
            log.warning(
                "%s version %s fails as a shadow: %s", self.version.name, self.version.number, what
            )


def rest_seconds(worked_seconds: float, share: float) -> float:
    """Return how long to rest after work, so that it takes no more than `share` of the time."""
    return max(worked_seconds * (1 / share - 1), GATHER_SECONDS) if share < 1 else 0.0
