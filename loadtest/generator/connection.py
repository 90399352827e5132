"""One kept-alive connection that never blocks: bytes of a request go out, a reply comes in.

It knows no schedule and no epoll; `pool.py` says when.
"""

import errno
import os
import socket

from loadtest.generator.reply import Reply, read_reply

CHUNK_BYTES = 64 << 10


class Connection:
    """Carries one request at a time, and is opened anew only when told."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Take the address; nothing is opened yet."""
        self._address = address
        self._received = self._unsent = b""
        self.descriptor = -1
        self.opening = self.busy = False
        self.place = 0  # of the template that was sent
        self.began = 0.0  # from when its latency counts
        self.since = 0.0  # when it became busy, or began to open

    def open(self, timeout_seconds: float) -> None:
        """Connect and wait for it; raise OSError where that fails."""
        self._use(socket.create_connection(self._address, timeout_seconds))

    def reopen(self, now: float) -> None:
        """Begin to connect; once it can be written to, `opened` tells what came of it."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._use(socket.socket(family, socket.SOCK_STREAM))
        self.opening, self.since = True, now
        code = self._socket.connect_ex(self._address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))

    def _use(self, opened: socket.socket) -> None:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self._send, self._receive = opened, opened.send, opened.recv
        self.descriptor = opened.fileno()
        self._received = self._unsent = b""
        self.busy = self.opening = False

    def opened(self) -> None:
        """Take note that it is open; raise OSError where it is not."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self.opening = False

    def close(self) -> None:
        """Close at once; what is on its way is dropped."""
        self._socket.close()
        self.descriptor = -1  # the number may be another's at once
        self.busy = self.opening = False

    def send(self, request: bytes) -> bool:
        """Send what goes without waiting; say whether that was all. Raises OSError at its end."""
        try:
            sent = self._send(request)
        except BlockingIOError:
            sent = 0
        self._unsent = request[sent:] if sent < len(request) else b""
        return not self._unsent

    def send_on(self) -> bool:
        """Send more of what is left."""
        return self.send(self._unsent)

    def receive(self) -> Reply | None:
        """Return a whole reply; None where more has to come.

        Raises EOFError or OSError at its end, ValueError where what came is no reply.
        """
        try:
            data = self._receive(CHUNK_BYTES)
        except BlockingIOError:
            return None
        if not data:
            what = (
                f"after {len(self._received)} bytes of a reply" if self._received else "without a reply"
            )
            raise EOFError(f"the connection ended {what}")
        if not self.busy:
            raise ValueError(f"bytes that nobody asked for: {data[:80]!r}")
        if self._received:
            data = self._received + data
        reply = read_reply(data)
        self._received = data if reply is None else b""
        return reply

    @property
    def half_sent(self) -> bool:
        """Say whether some of a request is still to be sent."""
        return bool(self._unsent)
