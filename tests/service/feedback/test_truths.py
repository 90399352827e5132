"""Tests of service/feedback/truths.py: each label is kept once, and may be corrected."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.feedback.database import Database
from service.feedback.truths import Truth, Truths


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return a new database."""
    database = Database(tmp_path)
    yield database
    database.close()


def truth(key: str, label: Any, prediction: Any = 1, **other: Any) -> Truth:
    """Return a label of request `key`'s first row."""
    return Truth("1", "request", key, 0, "label", prediction, label)._replace(**other)


def kept(database: Database) -> list[tuple[Any, ...]]:
    """Return key, prediction, label and number of corrections of all that is kept."""
    with database.reading() as connection:
        return connection.execute("SELECT key, prediction, label, corrections FROM truths").fetchall()


def test_new_known_and_corrected(database: Database) -> None:
    """The same label again is a duplicate, another one takes its place."""
    truths = Truths(database)
    assert truths.keep("m", [truth("a", 1)]) == ["accepted"]
    assert truths.keep("m", [truth("a", 1), truth("b", 1)]) == ["duplicate", "accepted"]
    assert truths.keep("m", [truth("a", 2)]) == ["corrected"]
    assert truths.keep("m", [truth("a", 2), truth("a", 1)]) == ["duplicate", "corrected"]
    assert kept(database) == [("a", "1", "1", 2), ("b", "1", "1", 0)]


def test_the_same_in_one_list(database: Database) -> None:
    """Within one list the same holds as between two."""
    given = [truth("a", 1), truth("a", 1), truth("a", 2), truth("a", 3)]
    assert Truths(database).keep("m", given) == ["accepted", "duplicate", "corrected", "corrected"]
    assert kept(database) == [("a", "1", "3", 2)]


@pytest.mark.parametrize(
    "other", [{"version": "2"}, {"source": "row"}, {"position": 1}, {"source": "id"}]
)
def test_what_tells_labels_apart(database: Database, other: dict[str, Any]) -> None:
    """Labels that differ in version, kind of key or position are two."""
    assert Truths(database).keep("m", [truth("a", 1), truth("a", 1, **other)]) == ["accepted"] * 2


def test_models_are_apart(database: Database) -> None:
    """So are two models."""
    truths = Truths(database)
    assert truths.keep("m", [truth("a", 1)]) == truths.keep("n", [truth("a", 1)]) == ["accepted"]


def test_labels_keep_their_type(database: Database) -> None:
    """Labels and predictions are kept as JSON, so a text is no number."""
    given = [truth(str(i), each, each) for i, each in enumerate((1, "1", True, 0.1 + 0.2, 'ü"', None))]
    Truths(database).keep("m", given)
    written = ["1", '"1"', "true", "0.30000000000000004", '"ü\\""', "null"]
    assert [(row[1], row[2]) for row in kept(database)] == [(each, each) for each in written]


def test_the_index_is_used(database: Database) -> None:
    """Known labels are looked up, not searched for: among a million that would take seconds."""
    from service.feedback import truths

    with database.reading() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {truths._KNOWN}", ("[]", "m")).fetchall()
    assert any("SEARCH truths USING" in step[-1] and "position=?" in step[-1] for step in plan), plan
