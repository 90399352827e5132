"""The reader of nginx's tally: counts each line once, whatever happens, and lets the file not grow."""

import os
from pathlib import Path

import pytest

from monitoring.door import reader as reader_module
from monitoring.door.holes import data_begins, free
from monitoring.door.line import Request
from monitoring.door.reader import SAVED, Reader
from tests.monitoring.door.tally import ANSWERED, HIT, LOST, Tally

EDGE = Request("digits", "1", "200", "edge")
REPLICA = Request("digits", "1", "200", "replica")
NGINX = Request("", "", "503", "nginx")


@pytest.fixture
def tally(tmp_path: Path) -> Tally:
    """Return a tally into which nothing has been written."""
    return Tally(tmp_path)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Return a reader of it."""
    return Reader(tmp_path)


def test_counts_what_is_written(tally: Tally, reader: Reader) -> None:
    """Every line is counted, with its attempts, once."""
    tally.write(HIT * 3 + ANSWERED + LOST)
    assert reader.read() > 0
    tally.write(HIT + LOST)
    assert reader.read() > 0
    assert reader.read() == 0
    assert reader.counts.requests == {EDGE: 4, REPLICA: 1, NGINX: 2}
    assert reader.counts.attempts == {"answered": 1, "failed": 4}


def test_before_nginx_starts(tally: Tally, reader: Reader) -> None:
    """Where there is no file yet nothing is counted, and everything once there is one."""
    assert reader.read() == 0
    tally.write(HIT)
    reader.read()
    assert reader.counts.requests == {EDGE: 1}


def test_half_a_line_waits(tally: Tally, reader: Reader) -> None:
    """A line is counted when all of it is there."""
    tally.write(HIT + ANSWERED[:9])
    reader.read()
    assert reader.counts.requests == {EDGE: 1}
    assert reader.read() == 0
    tally.write(ANSWERED[9:] + HIT)
    reader.read()
    assert reader.counts.requests == {EDGE: 2, REPLICA: 1}


def test_more_than_a_chunk(tally: Tally, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What doesn't fit into one read is counted by the next ones."""
    monkeypatch.setattr(reader_module, "CHUNK_BYTES", 100)
    tally.write(HIT * 50)
    while reader.read():
        pass
    assert reader.counts.requests == {EDGE: 50}


def test_unreadable_lines_are_counted_apart(tally: Tally, reader: Reader) -> None:
    """What can't be read stops nothing, and shows."""
    tally.write(HIT + HIT[:12] + b"\n" + HIT)
    reader.read()
    assert reader.counts.requests == {EDGE: 2}
    assert reader.counts.unreadable == 1


def test_goes_on_after_its_end(tally: Tally, reader: Reader, tmp_path: Path) -> None:
    """Another reader goes on where the first one was, with its counts and since the same time."""
    tally.write(HIT * 5)
    reader.read()
    tally.write(HIT * 2)
    other = Reader(tmp_path)
    assert other.counts.requests == {EDGE: 5}
    assert other.read() > 0
    assert other.counts.requests == {EDGE: 7}
    assert other.counts.began == reader.counts.began


def test_what_is_not_saved_is_not_shown(tally: Tally, reader: Reader, tmp_path: Path) -> None:
    """Counts that couldn't be saved never show, so none of them goes back; later they are counted."""
    tally.write(HIT)
    reader.read()
    (tmp_path / SAVED).with_suffix(".new").mkdir()  # what is saved can't be written
    tally.write(HIT)
    with pytest.raises(OSError, match="directory"):
        reader.read()
    assert reader.counts.requests == {EDGE: 1}
    (tmp_path / SAVED).with_suffix(".new").rmdir()
    again = Reader(tmp_path)
    again.read()
    assert again.counts.requests == {EDGE: 2}


def test_nginx_begins_another_file(tally: Tally, reader: Reader) -> None:
    """A new file is read from its beginning; the rest of the old one and all counts are kept."""
    tally.write(HIT * 5)
    reader.read()
    tally.write(HIT)
    tally.replace()
    tally.write(ANSWERED)
    while reader.read():
        pass
    reader.read()
    assert reader.counts.requests == {EDGE: 6, REPLICA: 1}


def test_another_file_while_nobody_reads(tally: Tally, reader: Reader, tmp_path: Path) -> None:
    """Also if it was begun while the reader wasn't there."""
    tally.write(HIT * 5)
    reader.read()
    tally.replace()
    tally.write(ANSWERED * 9)
    other = Reader(tmp_path)
    other.read()
    assert other.counts.requests == {EDGE: 5, REPLICA: 9}


def test_an_emptied_file(tally: Tally, reader: Reader) -> None:
    """A file that somebody has emptied is read from its beginning."""
    tally.write(HIT * 5)
    reader.read()
    os.truncate(tally.path, 0)
    tally.write(ANSWERED)
    reader.read()
    reader.read()
    assert reader.counts.requests == {EDGE: 5, REPLICA: 1}


def test_counted_bytes_are_freed(tally: Tally, reader: Reader) -> None:
    """However much is written, the file takes little space, and what isn't counted stays."""
    for _ in range(20):
        tally.write(HIT * 20_000)
        while reader.read():
            pass
        assert tally.taken_bytes <= 8192
    assert tally.path.stat().st_size == 20 * 20_000 * len(HIT)
    tally.write(ANSWERED)
    reader.read()
    assert reader.counts.requests == {EDGE: 400_000, REPLICA: 1}


def test_lost_counts(tally: Tally, reader: Reader, tmp_path: Path) -> None:
    """Whose counts are gone begins with the first line that is left, and reads no hole."""
    tally.write(HIT * 100_000)
    while reader.read():
        pass
    (tmp_path / SAVED).write_bytes(b"{")
    other = Reader(tmp_path)
    tally.write(ANSWERED * 3)
    other.read()
    assert other.counts.requests[REPLICA] == 3
    assert other.counts.requests[EDGE] < 4096 / len(HIT), "those in the last block"
    assert other.counts.unreadable == 0


def test_a_file_that_cannot_be_freed(
    tally: Tally, reader: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the file system can't, it is counted all the same, and said once."""

    def refuse(descriptor: int, since: int, until: int) -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(reader_module, "free", refuse)
    for _ in range(2):
        tally.write(HIT * 1000)
        reader.read()
    assert reader.counts.requests == {EDGE: 2000}
    assert tally.taken_bytes >= 2000 * len(HIT)
    assert caplog.text.count("keeps growing") == 1


def test_only_whole_blocks_are_freed(tmp_path: Path) -> None:
    """Nothing behind the place that was counted is touched, and the length stays."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 20_000)
    with path.open("r+b") as file:
        assert free(file.fileno(), 0, 9_999) == 8192
        assert free(file.fileno(), 8192, 9_999) == 8192
        assert data_begins(file.fileno(), 0) == 8192
    assert path.read_bytes() == b"\0" * 8192 + b"x" * (20_000 - 8192)


def test_freeing_needs_a_file_that_can_be_written(tmp_path: Path) -> None:
    """A failure of the system is an OSError with its reason."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 20_000)
    with path.open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        free(file.fileno(), 0, 8192)
