"""Reads the labels that replicas keep: their folder and a selection come in, rows go out.

Beside the replicas that write: a reader of SQLite in WAL mode holds up nobody.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from deploy.errors import Refused
from service.feedback.database import BUSY_SECONDS, FILE

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Kept(NamedTuple):
    """One prediction with its label, both as JSON; `time` is that of the label, in Unix seconds."""

    time: float
    model: str
    version: str
    source: str
    key: str
    position: int
    task: str
    prediction: str
    label: str
    corrections: int


@dataclass(frozen=True)
class Selection:
    """Which labels are meant: those of a model and a version, given since a time in Unix seconds."""

    model: str | None = None
    version: str | None = None
    since: float = 0.0


def read_kept(folder: Path, selection: Selection) -> Iterator[Kept]:
    """Yield the selected labels, oldest first; raise `Refused` where they can't be read."""
    with _reading(folder) as connection:
        yield from map(Kept._make, connection.execute(*_query("", selection, "ORDER BY id")))


def count_kept(folder: Path, selection: Selection) -> Iterator[tuple[Kept, int]]:
    """Yield one label of each (model, version, prediction, label), and how often there is such a one.

    Its `corrections` is the number of labels that were corrected. Raises `Refused`.
    """
    columns = ", count(*), sum(corrections > 0)"
    group = "GROUP BY model, version, task, prediction, label ORDER BY model, CAST(version AS INTEGER)"
    with _reading(folder) as connection:
        for *row, count, corrected in connection.execute(*_query(columns, selection, group)):
            yield Kept._make(row)._replace(corrections=corrected), count


def parse_since(text: str, now: datetime) -> float:
    """Return a time in Unix seconds: ISO 8601, UTC unless it says otherwise, or as in 90m, 36h, 7d."""
    amount, unit = text[:-1], _UNITS.get(text[-1:])
    try:
        if unit and amount.isdecimal():
            return (now - timedelta(**{unit: int(amount)})).timestamp()
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise Refused(f"--since {text}: expected a date as 2026-01-31, or 90m, 36h, 7d") from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _query(columns: str, selection: Selection, rest: str) -> tuple[str, tuple[Any, ...]]:
    conditions, values = ["time >= ?"], [selection.since]
    for name in ("model", "version"):
        if (wanted := getattr(selection, name)) is not None:
            conditions.append(f"{name} = ?")
            values.append(wanted)
    fields = ", ".join(Kept._fields) + columns
    where = " AND ".join(conditions)
    return f"SELECT {fields} FROM truths WHERE {where} {rest}", tuple(values)  # noqa: S608  # our own words


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / FILE
    if not path.exists():
        raise Refused(
            f"no feedback in {folder}: replicas keep it in FEEDBACK_DIR, once a client has given some"
        )
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, timeout=BUSY_SECONDS, uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise Refused(f"{path}: {error}") from error
