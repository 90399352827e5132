"""What was answered, by request id: answers come in by the second, and are found when labels arrive.

Written by `service.feedback.memory`. The newest answer to an id of a model counts; old ones go.
"""

import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec

from service.feedback.database import Database

MOST_ID_BYTES = 128
# So that clearing up after a change of settings holds up nobody.
MOST_DELETED = 20_000

_REMEMBER = """
INSERT OR REPLACE INTO answers (model, version, request_id, predictions, time)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
json_extract(value, '$[3]'), ? FROM json_each(?)
"""
_FIND = """
SELECT json_group_array(json_array(request_id, version, json(predictions))) FROM answers
WHERE model = ? AND time > ? AND request_id IN (SELECT value FROM json_each(?))
"""
# The newest have the highest ids, so neither needs an index of its own.
_FORGET_OLD = """
DELETE FROM answers
WHERE id IN (SELECT id FROM answers ORDER BY id LIMIT ?) AND time <= ?
"""
_FORGET_MANY = """
DELETE FROM answers
WHERE id IN (SELECT id FROM answers ORDER BY id LIMIT ?)
AND id <= (SELECT max(id) FROM answers) - ?
"""


class Answered(NamedTuple):
    """What was answered to a request: the version, and a prediction for each row."""

    version: str
    predictions: list[Any]


class Answers:
    """The answers in a database. None is found that is older than `keep_seconds`."""

    def __init__(self, database: Database, keep_seconds: float, max_rows: int) -> None:
        self._database = database
        self._keep_seconds = keep_seconds
        self._max_rows = max_rows

    def remember(self, answers: Sequence[tuple[str, str, str, list[Any]]]) -> None:
        """Keep (model, version, request id, predictions) of requests answered just now."""
        encoded = msgspec.json.encode(answers).decode()
        with self._database.writing() as connection:
            connection.execute(_REMEMBER, (time.time(), encoded))

    def find(self, model: str, request_ids: Collection[str]) -> dict[str, Answered]:
        """Return what was answered to those of the requests that are known."""
        oldest = time.time() - self._keep_seconds
        encoded = msgspec.json.encode(list(request_ids)).decode()
        with self._database.reading() as connection:
            (found,) = connection.execute(_FIND, (model, oldest, encoded)).fetchone()
        return {each[0]: Answered(each[1], each[2]) for each in msgspec.json.decode(found)}

    def forget(self) -> None:
        """Delete what is too old or too much, or some of it where that is a lot."""
        oldest = time.time() - self._keep_seconds
        with self._database.writing() as connection:
            connection.execute(_FORGET_OLD, (MOST_DELETED, oldest))
            connection.execute(_FORGET_MANY, (MOST_DELETED, self._max_rows))
