"""Predictions of one replica: what all requests share, asked by each `service.exchange.Exchange`.

Knows HTTP and the protocols; the core behind it knows neither. Called by the two doors: `service.lane`
and `service.asgi`.
"""

import asyncio
from collections.abc import Callable

from service.counting.counts import Counts
from service.errors import FlotillaError, MethodNotAllowed
from service.exchange import Exchange
from service.inference import Columns
from service.protocols import V1, V2, Codec
from service.queue import Query
from service.repeats import Repeats
from service.replica import Replica
from service.reply import Fields, Reply, ReplyHead
from service.request import Headers, Target
from service.version import LoadedVersion

_CODECS: dict[str, type[V1] | type[V2]] = {"v1": V1, "v2": V2}


class Predictions:
    """Answers the prediction routes of one replica."""

    def __init__(self, replica: Replica) -> None:
        self.in_flight = 0
        self.connections = 0  # open ones: each says so itself
        self.max_body_bytes = replica.settings.max_body_bytes
        self.patience_ms = replica.settings.request_timeout_ms
        self.slow_seconds = replica.settings.slow_request_ms / 1000 or float("inf")
        self.repeats = Repeats()
        self._max_rows = replica.settings.max_rows
        self._registry = replica.registry
        self._predictor = replica.predictor
        self._unknown = replica.metrics.unknown
        self.own_fields: Fields = (
            (b"content-type", b"application/json"),
            (b"x-replica", replica.settings.replica_name.encode()),
        )
        self._right: dict[tuple[str, str], ReplyHead] = {}
        replica.metrics.in_flight.set_function(lambda: self.in_flight)
        replica.metrics.connections.set_function(lambda: self.connections)

    def begin(
        self,
        target: Target,
        headers: Headers,
        body: bytes,
        request_id: bytes,
        send: Callable[[Reply], None],
    ) -> Exchange:
        """Answer one request, whatever comes of it: `send` is called once, now or later."""
        exchange = Exchange(self, target, request_id, send)
        exchange.start(target, headers, body)
        return exchange

    def refuse(
        self,
        target: Target,
        headers: Headers,
        error: Exception,
        request_id: bytes,
        send: Callable[[Reply], None],
    ) -> None:
        """Answer a request that can't even be read."""
        Exchange(self, target, request_id, send).fail(error)

    async def stop(self) -> None:
        """Write what is still to be logged."""
        self.repeats.close()

    def find(self, target: Target, headers: Headers) -> LoadedVersion:
        """Return the version named in the path, or else by nginx's route, or else by our own."""
        if target.version:
            return self._registry.get(target.model, target.version, routed=False)
        if headers.model_version:
            number = headers.model_version.decode("latin-1")
            return self._registry.get(target.model, number, routed=True)
        return self._registry.current(target.model)

    def codec(self, version: LoadedVersion, protocol: str) -> Codec:
        """Return the protocol bound to a version."""
        codec: Codec | None = version.codecs.get(protocol)
        if codec is None:
            codec = version.codecs[protocol] = _CODECS[protocol](version, self._max_rows)
        return codec

    def answer(self, query: Query) -> "asyncio.Future[Columns]":
        """Ask the core."""
        return self._predictor.answer(query)

    def counts(self, version: LoadedVersion | None) -> Counts:
        """Return where a request is counted."""
        return version.counts if version else self._unknown

    def right_head(self, version: str, cache: str) -> ReplyHead:
        """Return the head of a reply with an answer."""
        found = self._right.get((version, cache))
        if found is None:
            added = ((b"x-model-version", version.encode()), (b"x-cache", cache.encode()))
            found = self._right[version, cache] = ReplyHead(200, self.own_fields + added)
        return found

    def binary_head(self, version: str, cache: str, json_size: int) -> ReplyHead:
        """Return the head of a reply with tensors as bytes behind `json_size` bytes of JSON."""
        plain = self.right_head(version, cache).fields[1:]
        kind = (b"content-type", b"application/octet-stream")
        size = (b"inference-header-content-length", str(json_size).encode())
        return ReplyHead(200, (kind, size, *plain))

    def error_head(
        self, version: LoadedVersion | None, error: FlotillaError, request_id: str
    ) -> ReplyHead:
        """Return the head of a reply with an error."""
        fields = self.own_fields
        if request_id:
            fields += ((b"x-request-id", request_id.encode()),)
        if version:
            fields += ((b"x-model-version", version.number.encode()),)
        if error.retry_after_seconds is not None:
            fields += ((b"retry-after", str(error.retry_after_seconds).encode()),)
        if isinstance(error, MethodNotAllowed):
            fields += ((b"allow", b"POST"),)
        return ReplyHead(error.status, fields)
