"""Replies as servers write them: whole, in pieces, in chunks, and what is none."""

import pytest

from loadtest.generator.reply import Labels, read_reply
from tests.loadtest.generator.servers import CHUNKS, reply

PLAIN = reply(b'{"predictions": [3]}')
CHUNKED = CHUNKS % (2, b"[]")
WITH_TRAILER = CHUNKED.replace(b"0\r\n\r\n", b"0\r\nX-Late: 1\r\n\r\n")


def test_reads_what_matters() -> None:
    """Status, labels and body are found, however header names are written."""
    got = read_reply(PLAIN)
    assert got == (Labels(200, b"a", b"1", b"miss"), b'{"predictions": [3]}', False)
    assert read_reply(PLAIN.replace(b"X-Replica: a", b"x-rePLICA:a")) == got


def test_labels_that_are_not_there_are_empty() -> None:
    """A server that says nothing of itself has no labels, and a look-alike in the body is none."""
    got = read_reply(b"HTTP/1.1 404 Oops\r\nContent-Length: 16\r\n\r\n\r\nX-Replica: b\r\n")
    assert got is not None
    assert got.labels == Labels(404, b"", b"", b"")


def test_says_that_its_connection_closes() -> None:
    """An announced end is heard, in any case of letters."""
    got = read_reply(PLAIN.replace(b"X-Replica", b"CONNECTION: Close\r\nX-Replica"))
    assert got is not None
    assert got.closes


@pytest.mark.parametrize("data", [PLAIN, CHUNKED, WITH_TRAILER])
def test_waits_for_the_rest(data: bytes) -> None:
    """Any beginning of a reply needs more; only all of it is one."""
    assert [read_reply(data[:size]) for size in range(1, len(data))] == [None] * (len(data) - 1)
    assert read_reply(data) is not None


@pytest.mark.parametrize("data", [CHUNKED, WITH_TRAILER])
def test_joins_chunks(data: bytes) -> None:
    """Chunks are one body, sizes and trailers aren't part of it."""
    got = read_reply(data)
    assert got is not None
    assert got.body == b"[]"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"SSH-2.0-x\r\n", "not the head of a reply"),
        (b"<html>\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.0 200 OK\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "without Content-Length or chunks"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}", "without Content-Length or chunks"),
        (PLAIN + b"H", "a body of 21 bytes, not of 20"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not of -1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "not of 99999999999"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "invalid literal"),
        (b"HTTP/1.1 fine\r\nContent-Length: 0\r\n\r\n", "invalid literal"),
        (CHUNKED.replace(b"\r\n2\r\n", b"\r\nxyz\r\n"), "invalid literal"),
        (CHUNKED.replace(b"\r\n2\r\n", b"\r\nfffffffffff\r\n"), "a chunk of"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "not the head of a reply"),
    ],
)
def test_refuses_what_is_no_reply(data: bytes, reason: str) -> None:
    """What can't be a reply, or only one without an end, is refused at once and not waited for."""
    with pytest.raises(ValueError, match=reason):
        read_reply(data)
