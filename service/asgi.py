"""The door of a replica: prediction routes are answered here, on the event loop; the rest is Flask's.

A small ASGI application without a framework (https://asgi.readthedocs.io): a framework's hello-world
costs four times as much as a bare one, and there are only two routes to tell apart.
"""

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

import msgspec
from a2wsgi import WSGIMiddleware

from service.errors import (
    BadInput,
    BodyTooLarge,
    FlotillaError,
    MethodNotAllowed,
    NotReady,
    WrongContentType,
)
from service.logs import log_failure
from service.predict import Query
from service.protocols import V1, V2, Asked, Codec
from service.replica import Replica
from service.settings import Settings
from service.version import LoadedVersion
from service.web import create_app

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PATH = re.compile(
    r"/(?P<protocol>v1|v2)/models/(?P<model>[^/:]+)(?:/versions/(?P<version>[^/:]+))?"
    r"(?:(?<=.):predict|/infer)"
)
_CODECS: dict[str, type[V1] | type[V2]] = {"v1": V1, "v2": V2}
_JSON = (b"content-type", b"application/json")


class Headers(NamedTuple):
    """The request headers that matter for a prediction."""

    content_type: bytes = b""
    length: int = 0
    version: str = ""
    timeout_ms: str = ""
    request_id: str = ""
    encoding: bytes = b""


class Door:
    """The ASGI application. Does nothing before the server's start-up event."""

    def __init__(self) -> None:
        self._replica: Replica
        self._flask: Any

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or one of the server's lifespan events."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif match := _PATH.fullmatch(scope["path"]):
            await self._predict(match, scope, receive, send)
        else:
            await self._flask(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._replica = Replica(Settings.read(os.environ))
        self._flask = WSGIMiddleware(create_app(self._replica), workers=4)
        await self._replica.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._replica.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _predict(
        self, match: re.Match[str], scope: Message, receive: Receive, send: Send
    ) -> None:
        """Answer a prediction request, whatever comes of it, and count it."""
        started = time.perf_counter()
        metrics = self._replica.metrics
        metrics.in_flight.inc()
        version: LoadedVersion | None = None
        headers = Headers()
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed(f"{scope['path']} takes POST, got {scope['method']}")
            headers = _read_headers(scope["headers"])
            version = self._find(match, headers)
            body = await self._read_body(headers, receive)
            codec = self._codec(version, match["protocol"])
            asked = codec.decode(body)
            query = Query(version, asked.rows, asked.outputs, self._deadline(headers))
            answer = await self._replica.predictor.answer(query)
            status, reply = 200, codec.encode(asked, answer.columns)
            extra = [
                (b"x-model-version", version.number.encode()),
                (b"x-cache", answer.cache.encode()),
            ]
            metrics.rows.labels(version.name, version.number).inc(len(asked.rows))
        except Exception as error:  # the one handler: every failure becomes one JSON error
            status, reply, extra = _render(error, headers.request_id)
        finally:
            metrics.in_flight.dec()
        labels = (version.name, version.number) if version else ("", "")
        metrics.requests.labels(*labels, match["protocol"], str(status)).inc()
        metrics.request_seconds.labels(*labels).observe(time.perf_counter() - started)
        await self._send(send, status, reply, extra)

    def _find(self, match: re.Match[str], headers: Headers) -> LoadedVersion:
        """Return the version named in the path, or else by nginx's route, or else by our own."""
        registry = self._replica.registry
        if match["version"]:
            return registry.get(match["model"], match["version"], routed=False)
        if headers.version:
            return registry.get(match["model"], headers.version, routed=True)
        return registry.current(match["model"])

    def _codec(self, version: LoadedVersion, protocol: str) -> Codec:
        codec = version.codecs.get(protocol)
        if codec is None:
            codec = _CODECS[protocol](version, self._replica.settings.max_rows)
            version.codecs[protocol] = codec
        return codec

    def _deadline(self, headers: Headers) -> float:
        """Return when the request must be answered: the client's wish, at most our own limit."""
        most = self._replica.settings.request_timeout_ms
        milliseconds = most
        if headers.timeout_ms:
            if not headers.timeout_ms.isdecimal() or not int(headers.timeout_ms):
                raise BadInput(
                    "X-Request-Timeout-Ms: expected a whole number of milliseconds above 0, "
                    f"got {headers.timeout_ms[:20]!r}"
                )
            milliseconds = min(most, int(headers.timeout_ms))
        return asyncio.get_running_loop().time() + milliseconds / 1000

    async def _read_body(self, headers: Headers, receive: Receive) -> bytes:
        most = self._replica.settings.max_body_bytes
        kind = headers.content_type.partition(b";")[0].strip().lower()
        if kind != b"application/json":
            came = kind.decode("latin-1")[:60] or "none"
            raise WrongContentType(f"Content-Type: expected application/json, got {came}")
        if headers.encoding:
            raise WrongContentType(
                f"Content-Encoding: expected none, got {headers.encoding.decode('latin-1')[:20]}"
            )
        parts, size, more = [], headers.length, True
        while more and size <= most:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BadInput("body: the client left before it was complete")
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
            size = max(size, sum(map(len, parts)))
        if size > most:
            raise BodyTooLarge(f"body: expected at most {most} bytes, got more")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _send(
        self, send: Send, status: int, body: bytes, extra: list[tuple[bytes, bytes]]
    ) -> None:
        headers = [
            _JSON,
            (b"content-length", str(len(body)).encode()),
            (b"x-replica", self._replica.settings.replica_name.encode()),
            *extra,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _read_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    found: dict[str, Any] = {}
    for name, value in raw:
        match name:
            case b"content-type":
                found["content_type"] = value
            case b"content-length":
                found["length"] = int(value)
            case b"content-encoding":
                found["encoding"] = value
            case b"x-model-version":
                found["version"] = value.decode("latin-1")
            case b"x-request-timeout-ms":
                found["timeout_ms"] = value.decode("latin-1")
            case b"x-request-id":
                found["request_id"] = value.decode("latin-1")
    return Headers(**found)


def _render(error: Exception, request_id: str) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Return status, body and headers of an error; what isn't ours is logged and says nothing."""
    if not isinstance(error, FlotillaError):
        log_failure(error, request_id)
        error = FlotillaError("the model failed on this request; the replica's log says why")
    extra = []
    if error.retry_after_seconds is not None:
        extra.append((b"retry-after", str(error.retry_after_seconds).encode()))
    return error.status, msgspec.json.encode({"error": error.message}), extra


app = Door()
