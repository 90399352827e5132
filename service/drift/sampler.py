"""Takes some of a version's rows: what was answered comes in, a bounded queue goes out.

`observe` runs on the event loop after each reply. The stride between two requests that are taken is set
from outside, by `service.drift.watch`, which empties the queue once a second.
"""

from collections import deque
from random import random
from typing import NamedTuple

from service.counting.predicted import OUTPUT, sampled
from service.drift.binning import MOST_CHARACTERS
from service.inference import Columns
from service.rows import Rows, TextRows

CHANCES = "predict_proba"
MOST_STRIDE = 1 << 20


class Taken(NamedTuple):
    """Rows of one request, and what was answered, by output."""

    rows: Rows
    columns: Columns


class Sampler:
    """An `Observer`: takes one request in `stride`, on average, and at most 16 of its rows."""

    __slots__ = ("_most", "_skip", "offered", "stride", "waiting")

    def __init__(self, most_waiting: int) -> None:
        self.waiting: deque[Taken] = deque()
        self.stride = 1
        self.offered = 0  # requests, as estimated: only the loop adds
        self._most = most_waiting
        self._skip = 0

    def observe(self, request_id: bytes, rows: Rows, columns: Columns) -> None:
        """Let a request pass, or take it."""
        self._skip -= 1
        if self._skip < 0:
            self._take(rows, columns)

    def hasten(self) -> None:
        """Take a request sooner than had been planned, after fewer came than before. For any thread."""
        self.stride = stride = max(self.stride // 2, 1)
        # The loop may be counting down; then this is lost, and done once more in a second.
        self._skip = min(self._skip, stride)

    def _take(self, rows: Rows, columns: Columns) -> None:
        stride = self.stride
        # Never evenly: clients may send the same rows in the same order, over and over.
        self._skip = int(random() * (2 * stride - 1))  # noqa: S311  # no secret
        self.offered += stride
        if len(self.waiting) >= self._most:
            self.stride = min(2 * stride, MOST_STRIDE)
            return
        kept = {name: columns[name] for name in (OUTPUT, CHANCES) if name in columns}
        places = sampled(range(len(rows)))  # type: ignore[arg-type]  # slices as a list does
        if len(places) < len(rows):
            rows = rows.take(places)
            kept = {name: [values[place] for place in places] for name, values in kept.items()}
        if isinstance(rows, TextRows):  # a text may be of megabytes
            rows = TextRows([text[: MOST_CHARACTERS + 1] for text in rows.values])
        self.waiting.append(Taken(rows, kept))
