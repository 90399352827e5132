"""Tests of service/feedback/memory.py: what looks on at replies, and finds them again."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.errors import FeedbackUnavailable
from service.feedback.answers import Answers
from service.feedback.database import FILE, Database
from service.feedback.memory import MOST_ROWS, Memory
from tests.fakes import fake_version, pairs
from tests.polling import wait_until

ROWS = pairs((1, 2))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return a new database."""
    database = Database(tmp_path)
    yield database
    database.close()


def memory_of(database: Database, most: int = 100, every: float = 60, patience: float = 0) -> Memory:
    """Return a memory that isn't started."""
    return Memory(Answers(database, 3600, 1000), most, every, patience)


def test_an_own_answer_is_found_at_once(database: Database) -> None:
    """What this replica has just answered is known before its next time of writing."""
    memory = memory_of(database)
    watch = memory.observer(fake_version(name="m", number=2))
    watch.observe(b"a", ROWS, {"predict": [3.0]})
    assert memory.find("m", {"a"}) == {"a": ("2", [3.0])}
    assert memory.find("n", {"a"}) == {}


def test_what_is_not_remembered(database: Database) -> None:
    """No id, a very long one, more rows than sixteen, no prediction: no label could be matched."""
    memory = memory_of(database)
    watch = memory.observer(fake_version(name="m"))
    watch.observe(b"", ROWS, {"predict": [1.0]})
    watch.observe(b"x" * 129, ROWS, {"predict": [1.0]})
    watch.observe(b"many", ROWS, {"predict": [1.0] * (MOST_ROWS + 1)})
    watch.observe(b"none", ROWS, {"predict_proba": [[1.0]]})
    watch.observe(b"most", ROWS, {"predict": [1.0] * MOST_ROWS})
    memory.write()
    with database.reading() as connection:
        assert connection.execute("SELECT request_id FROM answers").fetchall() == [("most",)]


def test_more_than_may_be_remembered(database: Database) -> None:
    """Of more requests between two times of writing the first ones are kept."""
    memory = memory_of(database, most=3)
    watch = memory.observer(fake_version(name="m"))
    for number in range(10):
        watch.observe(b"%d" % number, ROWS, {"predict": [number]})
    found = memory.find("m", {str(number) for number in range(10)})
    assert set(found) == {"0", "1", "2"}


def test_another_replica_finds_it(tmp_path: Path) -> None:
    """What one replica answered is found by another one, which waits for it."""
    databases = [Database(tmp_path) for _ in range(2)]
    one, other = (memory_of(each, every=0.01, patience=15) for each in databases)
    watch = one.observer(fake_version(name="m"))
    found: list[object] = []
    seeker = threading.Thread(target=lambda: found.append(other.find("m", {"a"})))
    seeker.start()
    one.start()
    watch.observe(b"a", ROWS, {"predict": [1.0]})
    seeker.join(15)
    assert found == [{"a": ("1", [1.0])}]
    one.stop()
    for each in databases:
        each.close()


def test_few_may_wait(database: Database) -> None:
    """No more than two threads wait for an unknown id; whoever comes then is answered at once."""
    memory = memory_of(database, patience=60)
    watch = memory.observer(fake_version(name="m"))
    waiting = [threading.Thread(target=memory.find, args=("m", {"late"})) for _ in range(2)]
    for each in waiting:
        each.start()
    wait_until(lambda: memory._patient._value == 0)
    assert memory.find("m", {"unknown"}) == {}
    assert all(each.is_alive() for each in waiting), "it has waited as long as they do"
    watch.observe(b"late", ROWS, {"predict": [1.0]})
    memory.write()
    for each in waiting:
        each.join(15)
        assert not each.is_alive()


def test_the_end_loses_nothing(database: Database) -> None:
    """What was answered before the stop is written."""
    memory = memory_of(database)
    memory.start()
    memory.observer(fake_version(name="m")).observe(b"a", ROWS, {"predict": [1.0]})
    memory.stop()
    assert Answers(database, 3600, 10).find("m", ["a"]) == {"a": ("1", [1.0])}


def test_a_file_that_fails_disturbs_nobody(tmp_path: Path) -> None:
    """With a damaged file answers are looked on at as ever, and remembered again once it is gone."""
    (tmp_path / FILE).write_text("damaged" * 100)
    database = Database(tmp_path)
    memory = memory_of(database, every=0.01)
    memory.start()
    watch = memory.observer(fake_version(name="m"))

    def fails() -> bool:
        watch.observe(b"a", ROWS, {"predict": [1.0]})
        return database.errors > 2

    wait_until(fails)
    with pytest.raises(FeedbackUnavailable):
        memory.find("m", {"a"})
    (tmp_path / FILE).unlink()

    def works() -> bool:
        watch.observe(b"b", ROWS, {"predict": [1.0]})
        try:
            return "b" in memory.find("m", {"b"})
        except FeedbackUnavailable:
            return False

    wait_until(works)
    memory.stop()
    database.close()
