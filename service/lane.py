"""The fast lane: a connection's bytes come in, a prediction's reply goes out, all on the event loop.

A request in the plainest form (`service.head`) that has arrived as a whole is answered here. Anything
else goes to gunicorn's own protocol, which this one extends: pages, chunked or very large bodies,
upgrades, malformed requests, and everything once the worker is to end, because gunicorn then tells the
client that the connection closes.
"""

import time
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol

from service.exchange import Exchange
from service.head import END, MOST_BYTES, Head, HeadReader
from service.reply import Reply

# A larger body comes in many pieces: gunicorn reads it without copying it again and again.
MOST_BODY_BYTES = 256 << 10

_heads = HeadReader()


class LaneProtocol(ASGIProtocol):  # type: ignore[misc]  # gunicorn publishes no types
    """A connection. The request at hand is the lane's or gunicorn's."""

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        self._predictions = worker.asgi.predictions
        self._gunicorns = False  # the request at hand is gunicorn's
        self._receiving = False
        self._half_read = False  # gunicorn holds the beginning of a head
        self._answering = False  # the request at hand is the lane's
        self._exchange: Exchange | None = None
        self._pending = b""  # the beginning of a request, or what came while another was answered
        self._last_used = time.monotonic()

    def connection_made(self, transport: Any) -> None:
        """Begin a connection, which is closed when it isn't used."""
        super().connection_made(transport)
        self._predictions.connections += 1
        self._arm_keepalive_timer()

    def data_received(self, data: bytes) -> None:
        """Take a request into the lane, or hand its bytes to gunicorn."""
        if self._gunicorns:
            self._hand_over(data)
            return
        if self._pending:
            data = self._pending + data
            self._pending = b""
        if self._answering:  # the client doesn't wait for its reply
            self._pending = data
            self.transport.pause_reading()
            return
        end = data.find(END, 0, MOST_BYTES)
        head, request_id = _heads.read(data[:end]) if end > 0 else (None, b"")
        if head is None or not self._takes(head):
            self._hand_over(data)
            return
        missing = end + len(END) + head.body_bytes - len(data)
        if missing > 0:
            self._pending = data
        elif missing < 0:  # more than one request: gunicorn keeps them in order
            self._hand_over(data)
        else:
            self._answering = True
            exchange = self._predictions.begin(
                head.target, head.headers, data[end + len(END) :], request_id, self._reply
            )
            if self._answering:
                self._exchange = exchange

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the request that the client no longer waits for."""
        super().connection_lost(exc)
        self._predictions.connections -= 1
        if self._exchange is not None:
            self._exchange.abandon()
            self._exchange = None

    def _takes(self, head: Head) -> bool:
        most = min(MOST_BODY_BYTES, self._predictions.max_body_bytes)
        return bool(self.worker.alive) and head.body_bytes <= most

    def _hand_over(self, data: bytes) -> None:
        """Let gunicorn read a request; it says in `_arm_keepalive_timer` when it is done with it."""
        self._gunicorns = self._receiving = True
        super().data_received(data)
        self._receiving = False

    def _feed_callback_parser(self, data: bytes) -> Any:
        """Notice when gunicorn feeds its parser by itself: with what came behind a request."""
        self._half_read = not self._receiving
        return super()._feed_callback_parser(data)

    def _on_headers_complete(self) -> Any:
        self._half_read = False
        return super()._on_headers_complete()

    def _reply(self, reply: Reply) -> None:
        self._answering = False
        self._exchange = None
        if self.transport.is_closing():
            return
        self.transport.write(reply.to_bytes())
        self._last_used = time.monotonic()
        if self._pending:
            self.transport.resume_reading()
            self.data_received(b"")

    def _arm_keepalive_timer(self) -> None:
        """Note that gunicorn is done with its request: the next one may be the lane's."""
        self._gunicorns = self._half_read
        super()._arm_keepalive_timer()

    def _keepalive_timeout(self) -> None:
        """Close an idle connection. The lane leaves the timer alone, so it has to look first."""
        if self._answering or time.monotonic() - self._last_used < self._keepalive:
            super()._arm_keepalive_timer()
        else:
            super()._keepalive_timeout()
