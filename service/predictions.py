"""The prediction routes: an ASGI request comes in, the core is asked, one reply goes out.

Knows HTTP and the protocols; the core behind it knows neither. The only place that renders errors
of predictions.
"""

import asyncio
import re
import time

import msgspec

from service.errors import FlotillaError, MethodNotAllowed
from service.logs import log_failure
from service.predict import Query
from service.protocols import V1, V2, Codec
from service.replica import Replica
from service.request import Headers, Receive, Scope, Send, read_body, read_headers, timeout_ms
from service.version import LoadedVersion

PREDICTION_PATH = re.compile(
    r"/(?P<protocol>v1(?=.*:predict$)|v2(?=.*/infer$))/models/(?P<model>[^/:]+)"
    r"(?:/versions/(?P<version>[^/:]+))?(?::predict|/infer)"
)
_CODECS: dict[str, type[V1] | type[V2]] = {"v1": V1, "v2": V2}

RawHeaders = list[tuple[bytes, bytes]]


class Predictions:
    """Answers the prediction routes of one replica."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._settings = replica.settings
        self._metrics = replica.metrics
        self._own_headers: RawHeaders = [
            (b"content-type", b"application/json"),
            (b"x-replica", replica.settings.replica_name.encode()),
        ]

    async def answer(self, path: re.Match[str], scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever comes of it, and count it."""
        started = time.perf_counter()
        metrics = self._metrics
        metrics.in_flight.inc()
        headers = Headers()
        version: LoadedVersion | None = None
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed(f"{scope['path']} takes POST, got {scope['method']}")
            headers = read_headers(scope["headers"])
            version = self._find(path, headers)
            patience = timeout_ms(headers, self._settings.request_timeout_ms) / 1000
            deadline = asyncio.get_running_loop().time() + patience
            body = await read_body(headers, receive, self._settings.max_body_bytes)
            codec = self._codec(version, path["protocol"])
            asked = codec.decode(body)
            query = Query(version, asked.rows, asked.outputs, deadline)
            answer = await self._replica.predictor.answer(query)
            reply = codec.encode(asked, answer.columns)
            status = 200
            extra = [(b"x-cache", answer.cache.encode())]
            metrics.of(version).rows.inc(len(asked.rows))
        except Exception as error:  # the one handler: every failure becomes one JSON error
            status, reply, extra = _render(error, headers.request_id)
        finally:
            metrics.in_flight.dec()
        counts = metrics.of(version)
        counts.answered(path["protocol"], status)
        counts.request_seconds.observe(time.perf_counter() - started)
        if version:
            extra.append((b"x-model-version", version.number.encode()))
        length = (b"content-length", str(len(reply)).encode())
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*self._own_headers, length, *extra],
            }
        )
        await send({"type": "http.response.body", "body": reply})

    def _find(self, path: re.Match[str], headers: Headers) -> LoadedVersion:
        """Return the version named in the path, or else by nginx's route, or else by our own."""
        registry = self._replica.registry
        if path["version"]:
            return registry.get(path["model"], path["version"], routed=False)
        if headers.model_version:
            return registry.get(path["model"], headers.model_version.decode("latin-1"), routed=True)
        return registry.current(path["model"])

    def _codec(self, version: LoadedVersion, protocol: str) -> Codec:
        codec: Codec | None = version.codecs.get(protocol)
        if codec is None:
            codec = _CODECS[protocol](version, self._settings.max_rows)
            version.codecs[protocol] = codec
        return codec


def _render(error: Exception, request_id: bytes) -> tuple[int, bytes, RawHeaders]:
    """Return status, body and headers of an error; what isn't ours is logged and says nothing."""
    if not isinstance(error, FlotillaError):
        log_failure(error, request_id.decode("latin-1"))
        error = FlotillaError("the model failed on this request; the replica's log says why")
    extra: RawHeaders = []
    if error.retry_after_seconds is not None:
        extra.append((b"retry-after", str(error.retry_after_seconds).encode()))
    if isinstance(error, MethodNotAllowed):
        extra.append((b"allow", b"POST"))
    return error.status, msgspec.json.encode({"error": error.message}), extra
