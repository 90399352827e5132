"""Predictions of a replica that is traced. Takes the place of `Predictions`, made by `service.asgi`."""

import asyncio
import random
from collections.abc import Callable

from service.exchange import Exchange
from service.predictions import Predictions
from service.replica import Replica
from service.reply import Reply
from service.request import Headers, Target
from service.tracing.exchange import TracedExchange
from service.tracing.journey import Journey
from service.tracing.parent import Parent, read_parent
from service.tracing.sender import Sender


class TracedPredictions(Predictions):
    """Answers the prediction routes, and traces as many requests as it was told to."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica)
        self._share = replica.settings.otel_traces_sampler_arg
        self._sender = Sender(replica.settings)
        self.trace: Callable[[Journey], None] = self._sender.trace

    def begin(
        self,
        target: Target,
        headers: Headers,
        body: bytes,
        request_id: bytes,
        send: Callable[[Reply], None],
    ) -> Exchange:
        """Answer one request; trace it where its client does, or by chance."""
        parent = read_parent(headers.traceparent) if headers.traceparent else None
        if not self._chosen(parent):
            return super().begin(target, headers, body, request_id, send)
        exchange = TracedExchange(self, target, request_id, send, parent)
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
        """Answer a request that can't even be read; trace it likewise."""
        parent = read_parent(headers.traceparent)
        if self._chosen(parent):
            TracedExchange(self, target, request_id, send, parent).fail(error)
        else:
            super().refuse(target, headers, error, request_id, send)

    async def stop(self) -> None:
        """Let go; send what is left, as far as it takes no longer than a moment."""
        await super().stop()
        await asyncio.to_thread(self._sender.stop)

    def _chosen(self, parent: Parent | None) -> bool:
        if parent is not None:
            return parent.sampled
        return random.random() < self._share  # noqa: S311  # no secret
