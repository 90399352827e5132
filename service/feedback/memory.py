"""Remembers what was answered: looks on at every reply, writes to the database once a second.

On the event loop it costs one tuple and one append; a thread of its own does the rest. Of more requests
in a second than it may keep the first ones are kept: the others cost a comparison, where a thousand
answers that live on for a second cost every request a walk through cold memory (1.3 µs of 28).
"""

import threading
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from service.counting.predicted import OUTPUT
from service.errors import FeedbackUnavailable
from service.feedback.answers import MOST_ID_BYTES, Answered, Answers
from service.inference import Columns
from service.observer import Observer
from service.rows import Rows
from service.version import LoadedVersion

MOST_ROWS = 16  # of a request; a larger one's labels come with their rows
EVERY_SECONDS = 1.0
FORGET_EVERY = 10  # times of writing
STOP_SECONDS = 3.0
# Another replica's answer is in the file within a second and the time of writing it.
PATIENCE_SECONDS = 2.0
LOOK_EVERY_SECONDS = 0.05
# Flask has four threads, and one is to be free for Prometheus.
MOST_PATIENT = 2

_Key = tuple[str, str]


class Memory:
    """What one replica has answered lately: the last requests here, all others in the database."""

    def __init__(
        self,
        answers: Answers,
        requests_per_second: int,
        every_seconds: float = EVERY_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._answers = answers
        self._every_seconds = every_seconds
        self._patience_seconds = patience_seconds
        self._most_waiting = requests_per_second  # written once a second
        self._waiting: deque[tuple[_Key, bytes, list[Any]]] = deque()
        self._writing = threading.Lock()
        self._patient = threading.Semaphore(MOST_PATIENT)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write_forever, name="feedback", daemon=True)

    def observer(self, version: LoadedVersion) -> Observer:
        """Return what looks on while a version answers."""
        return _Watch((version.name, version.number), self._waiting, self._most_waiting)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end."""
        self._stopped.set()
        self._thread.join(STOP_SECONDS)

    def write(self) -> None:
        """Write what waits; raise `FeedbackUnavailable`, and then it is lost."""
        with self._writing:
            waiting = self._waiting
            batch = [waiting.popleft() for _ in range(len(waiting))]
            named = [
                (*key, request_id.decode("latin-1"), values)
                for key, request_id, values in batch
                if request_id and len(request_id) <= MOST_ID_BYTES
            ]
            if named:
                self._answers.remember(named)

    def find(self, model: str, request_ids: Collection[str]) -> dict[str, Answered]:
        """Return what was answered to those of the requests that are known, by any replica.

        Waits where one is missing, which may have been answered just now. Raises `FeedbackUnavailable`.
        """
        found = self._answers.find(model, request_ids)
        if len(found) == len(request_ids):
            return found
        self.write()
        found = self._answers.find(model, request_ids)
        if len(found) < len(request_ids) and self._patient.acquire(blocking=False):
            try:
                deadline = time.monotonic() + self._patience_seconds
                while len(found) < len(request_ids) and time.monotonic() < deadline:
                    if self._stopped.wait(LOOK_EVERY_SECONDS):
                        break
                    found = self._answers.find(model, request_ids)
            finally:
                self._patient.release()
        return found

    def _write_forever(self) -> None:
        times = 0
        while not self._stopped.wait(self._every_seconds):
            times += 1
            with suppress(FeedbackUnavailable):  # the database has said why; predictions go on
                self.write()
                if times % FORGET_EVERY == 0:
                    self._answers.forget()
        with suppress(FeedbackUnavailable):
            self.write()


class _Watch:
    """Looks on while one version answers."""

    __slots__ = ("_key", "_most", "_waiting")

    def __init__(
        self, key: _Key, waiting: deque[tuple[_Key, bytes, list[Any]]], most_waiting: int
    ) -> None:
        self._key, self._waiting, self._most = key, waiting, most_waiting

    def observe(self, request_id: bytes, rows: Rows, columns: Columns) -> None:
        """Queue a request's predictions, where they were asked for and aren't too many."""
        if len(self._waiting) >= self._most:
            return
        values = columns.get(OUTPUT)
        if values is not None and len(values) <= MOST_ROWS:
            self._waiting.append((self._key, request_id, values))
