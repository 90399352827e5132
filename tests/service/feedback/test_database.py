"""Tests of service/feedback/database.py: a file that several processes share, and that may break."""

import fcntl
import logging
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from service.errors import FeedbackUnavailable
from service.feedback.answers import Answers
from service.feedback.database import FILE, OPENING, Database
from service.feedback.truths import Truth, Truths
from tests.service.followed import Clock

SAME = 100


def truth(key: str, label: int = 1) -> Truth:
    """Return a label for a prediction of 1."""
    return Truth("1", "request", key, 0, "label", 1, label)


def keep_many(
    folder: Path,
    own: int,
    begin: "multiprocessing.synchronize.Barrier",
    results: "multiprocessing.Queue[list[str]]",
) -> None:
    """Keep labels that another process keeps as well, and some of its own, one transaction each."""
    database = Database(folder)
    truths, answers = Truths(database), Answers(database, 60, 10_000)
    begin.wait()
    said = []
    for number in range(SAME):
        said += truths.keep("m", [truth(f"same-{number}"), truth(f"{own}-{number}")])
        answers.remember([("m", "1", f"{own}-{number}", [number])])
    database.close()
    results.put(said)


def test_two_processes_on_one_file(tmp_path: Path) -> None:
    """Two processes that open, write and read at once lose nothing; what both are given counts once."""
    spawn = multiprocessing.get_context("spawn")
    begin, results = spawn.Barrier(2), spawn.Queue()
    processes = [
        spawn.Process(target=keep_many, args=(tmp_path, own, begin, results)) for own in range(2)
    ]
    for each in processes:
        each.start()
    said = [result for _ in processes for result in results.get(timeout=60)]
    for each in processes:
        each.join()
    assert [each.exitcode for each in processes] == [0, 0]
    assert said.count("accepted") == 3 * SAME
    assert said.count("duplicate") == SAME
    database = Database(tmp_path)
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM truths").fetchone() == (3 * SAME,)
    found = Answers(database, 60, 10_000).find("m", [f"{own}-{SAME - 1}" for own in range(2)])
    assert [each.predictions for each in found.values()] == [[SAME - 1]] * 2
    database.close()


def test_the_file_is_durable_and_shared(tmp_path: Path) -> None:
    """What was kept is there for whoever opens the file afterwards, in a folder that is made."""
    folder = tmp_path / "made" / "here"
    database = Database(folder)
    Truths(database).keep("m", [truth("a")])
    database.close()
    again = Database(folder)
    assert Truths(again).keep("m", [truth("a")]) == ["duplicate"]
    again.close()


def test_a_transaction_is_kept_as_a_whole(tmp_path: Path) -> None:
    """What fails half-way leaves nothing behind."""
    database = Database(tmp_path)

    def fail_half_way() -> None:
        with database.writing() as connection:
            connection.execute(
                "INSERT INTO answers (model, version, request_id, predictions, time) "
                "VALUES ('m', '1', 'a', '[1]', 1e12)"
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert Answers(database, 60, 10).find("m", ["a"]) == {}
    database.close()


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b""])
def test_a_damaged_file(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    """A file that is none is reported, in the log once a minute; once it is taken away all is well.

    An empty file is a new database.
    """
    (tmp_path / FILE).write_bytes(damage)
    database = Database(tmp_path)
    truths = Truths(database)
    if damage:
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                with pytest.raises(FeedbackUnavailable, match="can't be kept"):
                    truths.keep("m", [truth("a")])
            assert len(caplog.records) == 1
            assert FILE in caplog.text
            clock.forward(61)
            with pytest.raises(FeedbackUnavailable):
                truths.keep("m", [truth("a")])
            assert len(caplog.records) == 2
        assert database.errors == 4
        (tmp_path / FILE).unlink()
    assert truths.keep("m", [truth("a")]) == ["accepted"]
    database.close()


def test_a_file_that_is_deleted(tmp_path: Path) -> None:
    """Whoever deletes the file begins anew: nothing is written to where nobody finds it."""
    database = Database(tmp_path)
    truths = Truths(database)
    truths.keep("m", [truth("a")])
    for path in tmp_path.iterdir():
        path.unlink()
    assert truths.keep("m", [truth("a")]) == ["accepted"]
    assert (tmp_path / FILE).exists()
    database.close()


def test_a_process_that_hangs_while_it_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens the file doesn't wait for ever for one that hangs; afterwards it works."""
    monkeypatch.setattr("service.feedback.database.BUSY_SECONDS", 0.05)
    database = Database(tmp_path)
    with (tmp_path / OPENING).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FeedbackUnavailable):
            Truths(database).keep("m", [truth("a")])
    assert Truths(database).keep("m", [truth("a")]) == ["accepted"]
    database.close()


def test_a_full_disk(tmp_path: Path) -> None:
    """What doesn't fit is reported and not kept; what is there stays, and room makes it work again."""
    database = Database(tmp_path)
    truths = Truths(database)
    assert truths.keep("m", [truth("a")]) == ["accepted"]
    with database.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    many = [truth(f"{number}" * 20) for number in range(1000)]
    with pytest.raises(FeedbackUnavailable) as refused:
        truths.keep("m", many)
    assert "full" in str(refused.value.__cause__)
    assert truths.keep("m", [truth("a"), *many]) == ["duplicate"] + ["accepted"] * 1000
    database.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the place of the folder is reported as well."""
    (tmp_path / "file").write_text("")
    database = Database(tmp_path / "file")
    with pytest.raises(FeedbackUnavailable) as refused:
        Truths(database).keep("m", [truth("a")])
    assert isinstance(refused.value.__cause__, OSError | sqlite3.Error)
