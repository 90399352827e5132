"""Puts labels beside predictions: entries of a request come in, `Truth`s go out.

Called by `service.feedback.judge`. All raise `BadInput`, which names the entry's place in the body.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from service.counting.predicted import OUTPUT
from service.errors import BadInput
from service.feedback.answers import Answered
from service.feedback.entries import Entry
from service.feedback.task import Task, task_of
from service.feedback.truths import Source, Truth
from service.inference import infer
from service.version import LoadedVersion


def by_request(entry: Entry, answered: Answered, task: Task) -> list[Truth]:
    """Return the labels of a request with what was answered to it."""
    return _beside(entry, answered.version, answered.predictions, task)


def by_rows(entries: Sequence[Entry], version: LoadedVersion) -> list[Truth]:
    """Return the labels of rows with what a version answers to them: the same as ever.

    Computed in the caller's thread, in one call of the engine, beside the calls of the replica's own.
    """
    task = task_of(version.signature)
    if task is None:
        name = f"{version.name} version {version.number}"
        raise BadInput(f"{name} predicts neither a class nor a number a row: nothing to compare with")
    parts = [each.read_rows(version.signature) for each in entries]
    truths = []
    for entry, rows, outcome in zip(
        entries, parts, infer(version, (OUTPUT,), parts).outcomes, strict=True
    ):
        if isinstance(outcome, Exception):
            raise outcome
        hashes = [hashlib.blake2b(each, digest_size=16).hexdigest() for each in rows.canonical()]
        truths += _beside(entry, version.number, outcome[OUTPUT], task, hashes)
    return truths


def _beside(
    entry: Entry, version: str, predictions: Sequence[Any], task: Task, hashes: Sequence[str] = ()
) -> list[Truth]:
    entry.check_count(len(predictions))
    truths = []
    for position, prediction in enumerate(predictions):
        label = task.read(entry.labels[position], entry.label_at(position))
        identity = _identity(entry, position, hashes)
        truths.append(Truth(version, *identity, task.name, prediction, label))
    return truths


def _identity(entry: Entry, position: int, hashes: Sequence[str]) -> tuple[Source, str, int]:
    """Return what tells a row's label from others: equal rows without an id are one observation."""
    if entry.request_id:
        return "request", entry.request_id, position
    if entry.id:
        return "id", entry.id, position
    return "row", hashes[position], 0
