"""Replies as bytes: a head, the date of now, the length, the body."""

import email.utils
import time

from service.reply import Reply, ReplyHead


def test_bytes() -> None:
    """A reply is a status line, its fields, a date, a length and the body."""
    head = ReplyHead(429, ((b"content-type", b"application/json"), (b"retry-after", b"1")))
    written, _, body = Reply(head, b'{"error":"x"}').to_bytes().partition(b"\r\n\r\n")
    line, *fields = written.split(b"\r\n")
    given = dict(field.split(b": ", 1) for field in fields)
    assert line == b"HTTP/1.1 429 Too Many Requests"
    assert body == b'{"error":"x"}'
    date = email.utils.parsedate_to_datetime(given.pop(b"date").decode()).timestamp()
    assert abs(date - time.time()) < 2
    assert given == {
        b"content-type": b"application/json",
        b"retry-after": b"1",
        b"content-length": b"13",
    }


def test_the_date_moves_on(monkeypatch) -> None:  # noqa: ANN001
    """The date is written anew each second, also where the clock is set back."""
    dates = []
    for now in (1_000_000_000.5, 1_000_000_000.9, 1_000_000_001.0, 999_999_000.0):
        monkeypatch.setattr("service.reply.time.time", lambda now=now: now)
        dates.append(Reply(ReplyHead(200, ()), b"").to_bytes().split(b"\r\n")[1])
    assert dates == [
        b"date: Sun, 09 Sep 2001 01:46:40 GMT",
        b"date: Sun, 09 Sep 2001 01:46:40 GMT",
        b"date: Sun, 09 Sep 2001 01:46:41 GMT",
        b"date: Sun, 09 Sep 2001 01:30:00 GMT",
    ]
