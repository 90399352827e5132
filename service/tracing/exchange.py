"""An exchange that is traced: it notes when it passed a station, and leaves a `Journey` at its end."""

import time
from typing import TYPE_CHECKING, Any

from service.exchange import Exchange
from service.queue import Query
from service.reply import Reply
from service.request import Headers, Target, harmless
from service.tracing.journey import Journey
from service.tracing.parent import Parent

if TYPE_CHECKING:
    from service.tracing.predictions import TracedPredictions

LEFT = "ClientLeft"


class TracedExchange(Exchange):
    """A request that is being answered and traced."""

    __slots__ = ("_asked_at", "_error", "_landed", "_parent", "_target", "_traced")

    def __init__(
        self,
        predictions: "TracedPredictions",
        target: Target,
        request_id: bytes,
        send: Any,
        parent: Parent | None,
    ) -> None:
        super().__init__(predictions, target, request_id, send)
        self._traced = predictions
        self._target = target
        self._parent = parent
        self._asked_at = self._landed = 0.0
        self._error = ""

    def start(self, target: Target, headers: Headers, body: bytes) -> None:
        """Ask the core, and note when that was done: nothing is answered within this call."""
        super().start(target, headers, body)
        self._asked_at = time.perf_counter()

    def fail(self, error: Exception) -> None:
        """Reply with an error, and note what kind it is: its words may quote the client's input."""
        self._error = type(error).__name__
        super().fail(error)

    def _land(self, answer: Any) -> None:
        self._landed = time.perf_counter()
        super()._land(answer)
        if answer.cancelled():
            self._error = LEFT
            self._leave_journey(0)

    def _finish(self, reply: Reply) -> None:
        super()._finish(reply)
        self._leave_journey(reply.head.status)

    def _leave_journey(self, status: int) -> None:
        finished = time.perf_counter()
        version = self._version
        query: Query | None = getattr(self, "_query", None)
        inference = query.inference if query is not None else None
        queued = query.arrived if query is not None else 0.0
        computing = inference.began if inference else 0.0
        # A call that failed has no duration of its own.
        calls = inference.calls if inference else []
        computed = computing + inference.seconds if inference and calls else self._landed
        self._traced.trace(
            Journey(
                self._parent,
                self._target,
                harmless(self._request_id),
                status,
                self._error,
                version.number if version else "",
                version.engine.name if version else "",
                query.cache if query is not None else "",
                query.count if query is not None else 0,
                inference.rows if inference else 0,
                len(inference.outcomes) if inference else 0,
                self._started,
                self._asked_at,
                query.looked_up if query is not None else 0.0,
                queued,
                computing,
                computed,
                self._landed,
                finished,
            )
        )
