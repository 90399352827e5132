"""Tests of service/feedback/answers.py: what was answered is found by request id, for a while."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.feedback.answers import Answers
from service.feedback.database import Database

HOUR = 3600.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return a new database."""
    database = Database(tmp_path)
    yield database
    database.close()


def count(database: Database) -> int:
    """Return how many answers are in the file."""
    with database.reading() as connection:
        (rows,) = connection.execute("SELECT count(*) FROM answers").fetchone()
    return int(rows)


def test_predictions_come_back_as_they_were(database: Database) -> None:
    """Numbers keep their last digit and their type, texts every character; NaN becomes None."""
    answers = Answers(database, HOUR, 10)
    given = [1, 1.0, 0.1 + 0.2, True, "1", 'ü"\\\n', 2**62, 1e300]
    answers.remember([("m", "3", "a", given), ("m", "3", "b", [float("nan")])])
    found = answers.find("m", ["a", "b"])
    assert found["a"].version == "3"
    assert [(each, type(each)) for each in found["a"].predictions] == [
        (each, type(each)) for each in given
    ]
    assert found["b"].predictions == [None]


def test_an_id_belongs_to_a_model(database: Database) -> None:
    """The same id may be used for two models; one that is unknown is left out."""
    answers = Answers(database, HOUR, 10)
    answers.remember([("m", "1", "a", [1]), ("n", "2", "a", [2])])
    assert answers.find("m", ["a", "b"]) == {"a": ("1", [1])}
    assert answers.find("n", ["a"]) == {"a": ("2", [2])}
    assert answers.find("o", ["a"]) == {}
    assert answers.find("m", []) == {}


def test_the_newest_answer_counts(database: Database) -> None:
    """Of two answers to one id, the later one is what the client has."""
    answers = Answers(database, HOUR, 10)
    answers.remember([("m", "1", "a", [1]), ("m", "2", "a", [2])])
    assert answers.find("m", ["a"]) == {"a": ("2", [2])}
    answers.remember([("m", "3", "a", [3])])
    assert answers.find("m", ["a"]) == {"a": ("3", [3])}
    assert count(database) == 1


def test_old_answers_go(database: Database) -> None:
    """What is too old isn't found, even before it is deleted; what isn't stays."""
    Answers(database, HOUR, 10).remember([("m", "1", "a", [1])])
    late = Answers(database, 0, 10)
    assert late.find("m", ["a"]) == {}
    Answers(database, HOUR, 10).forget()
    assert count(database) == 1
    late.forget()
    assert count(database) == 0


def test_too_many_answers_go(database: Database) -> None:
    """Of more answers than may be kept the oldest go."""
    answers = Answers(database, HOUR, 10)
    answers.remember([("m", "1", str(number), [number]) for number in range(25)])
    answers.forget()
    assert count(database) == 10
    assert set(answers.find("m", [str(number) for number in range(25)])) == {
        str(n) for n in range(15, 25)
    }
