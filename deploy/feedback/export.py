"""Writes labels for other programs: rows come in, lines of CSV or JSON go out."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from deploy.feedback.kept import Kept

FIELDS = ("time", "model", "version", "source", "key", "position", "prediction", "label", "corrections")


def write_csv(kept: Iterable[Kept], file: TextIO) -> None:
    """Write a table with a line of headings. Texts stand as they are, all else in JSON's words."""
    table = csv.writer(file, lineterminator="\n")
    table.writerow(FIELDS)
    for each in kept:
        table.writerow(_cell(value) for value in _record(each).values())


def write_jsonl(kept: Iterable[Kept], file: TextIO) -> None:
    """Write an object for each label, on a line of its own."""
    for each in kept:
        file.write(msgspec.json.encode(_record(each)).decode() + "\n")


def _record(kept: Kept) -> dict[str, Any]:
    values = kept._asdict() | {
        "time": datetime.fromtimestamp(kept.time, UTC).isoformat(timespec="milliseconds"),
        "prediction": msgspec.json.decode(kept.prediction),
        "label": msgspec.json.decode(kept.label),
    }
    return {name: values[name] for name in FIELDS}


def _cell(value: Any) -> Any:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
