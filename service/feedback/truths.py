"""What was true: predictions with their labels come in, each is kept once; how it went comes out.

Called by `service.feedback.judge`. Labels that were kept stay until somebody deletes them.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from service.feedback.database import Database
from service.feedback.task import TaskName

Source = Literal["request", "id", "row"]
Result = Literal["accepted", "duplicate", "corrected"]

# By the position in the list that was given. CROSS keeps SQLite from starting with the truths.
_KNOWN = """
SELECT json_group_array(json_array(given.key, truths.label))
FROM json_each(?) AS given CROSS JOIN truths
ON truths.model = ? AND truths.version = json_extract(given.value, '$[0]')
AND truths.source = json_extract(given.value, '$[1]')
AND truths.key = json_extract(given.value, '$[2]')
AND truths.position = json_extract(given.value, '$[3]')
"""
_KEEP = """
INSERT INTO truths
(model, time, version, source, key, position, task, prediction, label, corrections)
SELECT ?, ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
json_extract(value, '$[6]'), json_extract(value, '$[7]')
FROM json_each(?) WHERE true
ON CONFLICT (model, version, source, key, position) DO UPDATE
SET label = excluded.label, time = excluded.time, corrections = corrections + excluded.corrections
"""


class Truth(NamedTuple):
    """A prediction and the true label, and what tells it from others of its model."""

    version: str
    source: Source
    key: str
    position: int
    task: TaskName
    prediction: Any
    label: Any

    @property
    def identity(self) -> tuple[str, str, str, int]:
        """What only the same prediction has."""
        return self[:4]


class Truths:
    """The labels in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, model: str, truths: Sequence[Truth]) -> list[Result]:
        """Keep labels, and return for each whether it is new, known, or another than the one before.

        One transaction: of two replicas that are given the same, one accepts it.
        """
        labels = [msgspec.json.encode(each.label).decode() for each in truths]
        identities = msgspec.json.encode([each.identity for each in truths]).decode()
        results: list[Result] = []
        with self._database.writing() as connection:
            (found,) = connection.execute(_KNOWN, (identities, model)).fetchone()
            known = {truths[place].identity: label for place, label in msgspec.json.decode(found)}
            changed: dict[tuple[Any, ...], tuple[Any, ...]] = {}
            for truth, label in zip(truths, labels, strict=True):
                before = known.get(truth.identity)
                if before == label:
                    results.append("duplicate")
                    continue
                results.append("accepted" if before is None else "corrected")
                known[truth.identity] = label
                earlier = changed.get(truth.identity)
                corrections = (earlier[-1] if earlier else 0) + (before is not None)
                prediction = msgspec.json.encode(truth.prediction).decode()
                row = (*truth.identity, truth.task, prediction, label, corrections)
                changed[truth.identity] = row
            if changed:
                rows = msgspec.json.encode(list(changed.values())).decode()
                connection.execute(_KEEP, (model, time.time(), rows))
        return results
