"""A reply: status, headers and body come in, the bytes for the connection go out."""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

Fields = tuple[tuple[bytes, bytes], ...]


class ReplyHead:
    """Status and headers of a reply, all but Content-Length and Date.

    Right answers of a version differ in their body alone, so they share one head, written once.
    """

    __slots__ = ("fields", "start", "status")

    def __init__(self, status: int, fields: Fields) -> None:
        self.status = status
        self.fields = fields
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in fields]
        self.start = b"\r\n".join(lines)


class Reply(NamedTuple):
    """A head and its body."""

    head: ReplyHead
    body: bytes

    def to_bytes(self) -> bytes:
        """Return what goes over the connection (RFC 9112, section 4)."""
        body = self.body
        return b"%b\r\ndate: %b\r\ncontent-length: %d\r\n\r\n%b" % (
            self.head.start,
            _date.now(),
            len(body),
            body,
        )


class _Date:
    """The current date (RFC 9110, section 6.6.1), written once a second."""

    def __init__(self) -> None:
        self._text = b""
        self._until = 0.0

    def now(self) -> bytes:
        """Return it."""
        now = time.time()
        if not self._until - 1 <= now < self._until:
            self._text = formatdate(now, usegmt=True).encode()
            self._until = float(int(now) + 1)
        return self._text


_date = _Date()
