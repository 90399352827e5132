"""One request on its way to its reply: made by `service.predictions`, once for each request.

Target, headers and body come in; the reply goes to whoever brought them, once, now or later.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from service.counting.counts import TIMED_EVERY
from service.counting.predicted import OUTPUT
from service.errors import FlotillaError
from service.inference import Columns
from service.logs import log_failure
from service.protocols import Asked, BinaryReply, Codec
from service.queue import Query
from service.reply import Reply
from service.request import Headers, Target, check_content, harmless, timeout_ms
from service.version import LoadedVersion

if TYPE_CHECKING:
    from service.predictions import Predictions

# nginx's own status for it; nobody is sent it.
CLIENT_LEFT = 499


class Exchange:
    """A request that is being answered."""

    __slots__ = (
        "_answer",
        "_asked",
        "_codec",
        "_predictions",
        "_protocol",
        "_query",
        "_request_id",
        "_send",
        "_started",
        "_version",
    )
    _asked: Asked
    _codec: Codec
    _query: Query

    def __init__(
        self,
        predictions: "Predictions",
        target: Target,
        request_id: bytes,
        send: Callable[[Reply], None],
    ) -> None:
        self._predictions = predictions
        self._protocol = target.protocol
        self._request_id = request_id
        self._send = send
        self._started = time.perf_counter()
        self._version: LoadedVersion | None = None
        self._answer: asyncio.Future[Columns] | None = None
        predictions.in_flight += 1

    def start(self, target: Target, headers: Headers, body: bytes) -> None:
        """Ask the core; whatever comes of it becomes a reply."""
        predictions = self._predictions
        try:
            self._version = version = predictions.find(target, headers)
            json_size = check_content(headers, target)
            patience = timeout_ms(headers, predictions.patience_ms) / 1000
            self._codec = codec = predictions.codec(version, target.protocol)
            self._asked = asked = codec.decode(body, json_size)
            version.counts.untimed += 1
            if version.counts.untimed == TIMED_EVERY:
                version.counts.parsed(time.perf_counter() - self._started)
            deadline = asyncio.get_running_loop().time() + patience
            self._query = query = Query(version, asked.rows, asked.outputs, deadline)
            self._answer = answer = predictions.answer(query)
        except Exception as error:  # the one handler: every failure becomes one JSON error
            self.fail(error)
        else:
            answer.add_done_callback(self._land)

    def abandon(self) -> None:
        """Let go of a request that nobody waits for any more."""
        if self._answer is not None:
            self._answer.cancel()

    def fail(self, error: Exception) -> None:
        """Reply with an error; what isn't ours is logged and says nothing."""
        request_id = harmless(self._request_id)
        if isinstance(error, FlotillaError):
            self._predictions.repeats.refused(error, self._members())
        else:
            log_failure(error, **self._members())
            shown = f" (request {request_id})" if request_id else ""
            error = FlotillaError(
                f"the model failed on this request; the replica's log says why{shown}"
            )
        head = self._predictions.error_head(self._version, error, request_id)
        self._finish(Reply(head, msgspec.json.encode({"error": error.message})))

    def _land(self, answer: "asyncio.Future[Columns]") -> None:
        """Reply with the answer of the core, or with what it failed with."""
        if answer.cancelled():
            self._forget()
            return
        version = self._version
        assert version is not None
        answered = 0.0 if version.counts.untimed else time.perf_counter()
        try:
            columns = answer.result()
            body = self._codec.encode(self._asked, columns)
        except Exception as error:  # the core's, or a value that the protocol has no word for
            self.fail(error)
            return
        query, counts = self._query, version.counts
        counts.rows += query.count
        if query.sources is None:
            counts.cache_rows["bypass"] += query.count
        else:
            counts.cached(query.sources)
        predictions, cache = self._predictions, query.cache
        if isinstance(body, BinaryReply):
            head = predictions.binary_head(version.number, cache, body.json_size)
            self._finish(Reply(head, body.body))
        else:
            self._finish(Reply(predictions.right_head(version.number, cache), body))
        if answered:
            counts.reply_seconds.observe(time.perf_counter() - answered)
        # Nobody waits for what is left.
        summed = counts.predicted
        if summed is not None and OUTPUT in columns:
            summed.add(columns[OUTPUT])
        if version.shadow is not None:
            version.shadow.offer(version, query.rows, columns)
        for observer in version.observers:
            observer.observe(self._request_id, query.rows, columns)

    def _forget(self) -> None:
        """Count a request whose client has left: it was work, and nginx counts it as well."""
        predictions = self._predictions
        predictions.in_flight -= 1
        predictions.counts(self._version).requests[self._protocol, CLIENT_LEFT] += 1

    def _finish(self, reply: Reply) -> None:
        predictions = self._predictions
        predictions.in_flight -= 1
        counts = predictions.counts(self._version)
        counts.requests[self._protocol, reply.head.status] += 1
        seconds = time.perf_counter() - self._started
        counts.request_seconds.observe(seconds)
        self._send(reply)
        if seconds > predictions.slow_seconds:
            predictions.repeats.slow(self._members() | self._times(seconds))

    def _members(self) -> dict[str, Any]:
        """Return what a log line says of any request: id, model and version, never what it asked."""
        version = self._version
        model, number = (version.name, version.number) if version else ("", "")
        return {"request_id": harmless(self._request_id), "model": model, "version": number}

    def _times(self, seconds: float) -> dict[str, Any]:
        """Return where the time went; what is left was parsing, the cache and the reply."""
        times: dict[str, Any] = {"seconds": round(seconds, 6)}
        query: Query | None = getattr(self, "_query", None)
        if query is not None:
            times |= {"rows": query.count, "cache": query.cache}
        if query is not None and query.inference is not None:
            inference = query.inference
            times["queue_seconds"] = round(inference.began - query.arrived, 6)
            times["inference_seconds"] = round(inference.seconds, 6)
            times["batch_rows"] = inference.rows
        return times
