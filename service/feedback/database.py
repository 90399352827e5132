"""The file of all feedback: one SQLite database for the replicas of a host, one connection in each.

In WAL mode one process writes while the others read; that takes memory which they share, so it works
between processes and containers of one host, and not over NFS (https://sqlite.org/wal.html). Python
gives up its lock for each step of a statement and has to get it back from a busy event loop, so there
is one statement, with rows in a JSON text, where others would use a thousand.
"""

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from service.errors import FeedbackUnavailable

log = logging.getLogger(__name__)

FILE = "feedback.sqlite3"
OPENING = "opening.lock"
# Of waiting for another process that writes; nginx gives up on a reply after 7 s.
BUSY_SECONDS = 2.0
LOOK_EVERY_SECONDS = 0.01
COMPLAIN_EVERY_SECONDS = 60.0
# `predictions`, `prediction` and `label` are JSON, which keeps 1, 1.0, true and "1" apart. A truth's
# key is a request's id, a client's own for the row, or a row's hash; `source` says which.
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    request_id TEXT NOT NULL,
    predictions TEXT NOT NULL,
    time REAL NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS answers_by_request ON answers (request_id, model);
CREATE TABLE IF NOT EXISTS truths (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    task TEXT NOT NULL,
    prediction TEXT NOT NULL,
    label TEXT NOT NULL,
    corrections INTEGER NOT NULL,
    time REAL NOT NULL,
    UNIQUE (model, version, source, key, position)
);
"""


class Database:
    """The file in a folder, which is made where it isn't there. For any thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.errors = 0  # calls that failed
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._complain_at = 0.0

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection; raise `FeedbackUnavailable` for whatever goes wrong with the file."""
        with self._lock:
            try:
                yield self._open()
            except (sqlite3.Error, OSError) as error:
                self._close()
                self._complain(error)
                raise FeedbackUnavailable(
                    "feedback can't be kept or looked up now; the replica's log says why"
                ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give it for one transaction, in which nobody else writes; all of it is kept or nothing."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk may have ended the transaction already
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._is_there():
            return self._connection
        self._close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        # One after the other: where two processes begin with WAL at once, SQLite refuses one of them.
        with (self.path.parent / OPENING).open("w") as file:
            _lock(file)
            connection.execute("PRAGMA journal_mode = WAL")
            # A power failure may take the last seconds, and damages nothing. Default: full.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(f"BEGIN IMMEDIATE;{SCHEMA}COMMIT;")
        self._inode = self.path.stat().st_ino
        return connection

    def _is_there(self) -> bool:
        """Tell whether the file is the one that was opened: somebody may have deleted it."""
        try:
            return os.stat(self.path).st_ino == self._inode
        except OSError:
            return False

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _complain(self, error: Exception) -> None:
        self.errors += 1
        now = time.monotonic()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAIN_EVERY_SECONDS
            log.warning("%s: %s: %s", self.path, type(error).__name__, error)


def _lock(file: TextIO) -> None:
    """Wait until no other process holds the lock; raise `BlockingIOError` if one hangs with it."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_EVERY_SECONDS)
        else:
            return
