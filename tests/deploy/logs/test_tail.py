"""A log that is followed: each line comes once, also while the log is turned over."""

from pathlib import Path

import pytest

from deploy.logs.tail import Tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return where a log is to be."""
    return tmp_path / "access.log"


def older(log: Path) -> Path:
    """Return where a log goes when it is turned over."""
    return log.with_name(log.name + ".1")


def write(path: Path, *lines: str) -> None:
    """Append lines."""
    with path.open("a") as file:
        file.writelines(line + "\n" for line in lines)


def test_what_is_there_and_what_comes(log: Path) -> None:
    """At first all lines come, the ones turned over first, then those that are new."""
    write(older(log), "1")
    write(log, "2", "3")
    tail = Tail(log)
    assert list(tail.lines()) == ["1", "2", "3"]
    assert list(tail.lines()) == []
    write(log, "4")
    assert list(tail.lines()) == ["4"]
    tail.close()


def test_turned_over(log: Path) -> None:
    """After a rename no line is left out or comes twice: not the last ones, not the first ones."""
    tail = Tail(log)
    expected = []
    for turn in range(5):
        write(log, f"{turn} first")
        assert list(tail.lines()) == [f"{turn} first"]
        write(log, f"{turn} last")
        log.rename(older(log))
        write(log, f"{turn} new")
        expected = [f"{turn} last", f"{turn} new"]
        assert list(tail.lines()) == expected
    tail.close()


def test_a_writer_that_has_not_noticed(log: Path) -> None:
    """Who still writes into the renamed file, as nginx does until it opens the new one, is heard."""
    tail = Tail(log)
    with log.open("a") as late:
        log.rename(older(log))
        write(log, "new")
        assert list(tail.lines()) == ["new"]
        late.write("late\n")
        late.flush()
        assert list(tail.lines()) == ["late"]
    tail.close()


def test_turned_over_twice_between_two_looks(log: Path) -> None:
    """What was written between two turns is read from the file before."""
    tail = Tail(log)
    write(log, "a")
    assert list(tail.lines()) == ["a"]
    log.rename(older(log))
    write(log, "b")
    log.rename(older(log))
    write(log, "c")
    assert list(tail.lines()) == ["b", "c"]
    tail.close()


def test_emptied(log: Path) -> None:
    """A log that was emptied begins anew."""
    write(log, "a long line of before")
    tail = Tail(log)
    list(tail.lines())
    log.write_text("new\n")
    assert list(tail.lines()) == ["new"]
    tail.close()


def test_half_a_line(log: Path) -> None:
    """A line comes when it is complete, and as a whole, whatever bytes are in it."""
    tail = Tail(log)
    with log.open("ab") as file:
        for part, expected in ((b"on", []), (b"e\xff\ntw", ["one\ufffd"]), (b"o\n", ["two"])):
            file.write(part)
            file.flush()
            assert list(tail.lines()) == expected
    tail.close()


def test_not_there_yet(log: Path) -> None:
    """A log that isn't there yet is read once it is."""
    tail = Tail(log)
    assert list(tail.lines()) == []
    write(log, "first")
    assert list(tail.lines()) == ["first"]
    tail.close()
