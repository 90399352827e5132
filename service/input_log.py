"""A log of some requests' rows: what was answered comes in, one JSON line for each request goes out.

Off unless LOG_INPUT_SHARE says otherwise, because rows tell of people: whoever reads the log then reads
what clients have sent, texts in full, with the request's id. Written by a thread once a second.
"""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from random import random
from typing import Any, NamedTuple

from service.counting.predicted import sampled
from service.inference import Columns
from service.observer import Observer
from service.rows import Rows, TableRows, TensorRows
from service.version import LoadedVersion

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
LINES_EACH_TIME = 20


class _Entry(NamedTuple):
    model: str
    version: str
    request_id: bytes
    rows: Rows
    columns: Columns


class InputLog:
    """Logs a `share` of requests, 0 to 1, but no more than 20 a second; of each at most 16 rows."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._waiting: deque[_Entry] = deque()
        self._offered = self._taken = 0  # the first is the loop's, the second the thread's
        self._left_out = 0
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def observer_of(self, version: LoadedVersion) -> Observer | None:
        """Return what observes a version, or None where nothing is to be logged."""
        if not self._share:
            return None
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="input log", daemon=True)
            self._thread.start()
        return _Listener(self, version.name, version.number, self._share)

    def offer(self, entry: _Entry) -> None:
        """Queue a request, or leave it out where enough wait. Called on the event loop alone."""
        self._offered += 1
        if len(self._waiting) < LINES_EACH_TIME:
            self._waiting.append(entry)

    def close(self, patience_seconds: float) -> None:
        """Write what waits, and end."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(patience_seconds)

    def write(self) -> None:
        """Write what waits, and how many requests were left out since."""
        for _ in range(len(self._waiting)):
            entry = self._waiting.popleft()
            self._taken += 1
            log.info("input", extra=_members(entry))
        left_out = self._offered - self._taken - len(self._waiting)
        if left_out > self._left_out:
            log.info("inputs left out: %d, beyond 20 a second", left_out - self._left_out)
            self._left_out = left_out

    def _work(self) -> None:
        ended = False
        while not ended:
            ended = self._closed.wait(EVERY_SECONDS)
            self.write()


class _Listener:
    """An `Observer`: passes a share of a version's requests on."""

    __slots__ = ("_log", "_model", "_share", "_version")

    def __init__(self, to: InputLog, model: str, version: str, share: float) -> None:
        self._log, self._model, self._version, self._share = to, model, version, share

    def observe(self, request_id: bytes, rows: Rows, columns: Columns) -> None:
        """Let a request pass, or take it."""
        if random() >= self._share:  # noqa: S311  # no secret
            return
        places = sampled(range(len(rows)))  # type: ignore[arg-type]  # slices as a list does
        if len(places) < len(rows):
            rows = rows.take(places)
            columns = {name: [values[place] for place in places] for name, values in columns.items()}
        self._log.offer(_Entry(self._model, self._version, request_id, rows, columns))


def _members(entry: _Entry) -> Mapping[str, Any]:
    """Return the members of a line: rows as a client would send them."""
    taken = entry.rows
    if isinstance(taken, TableRows):
        names = taken.signature.columns
        rows = [dict(zip(names, row, strict=True)) for row in taken.values]
    else:
        rows = taken.values.tolist() if isinstance(taken, TensorRows) else taken.model_input()
    request_id = entry.request_id.decode("latin-1")
    return {
        "event": "input",
        **({"request_id": request_id} if request_id else {}),
        "model": entry.model,
        "version": entry.version,
        "rows": rows,
        "predictions": entry.columns,
    }
