"""The door of a replica: predictions and health are answered on the event loop, all else is Flask's.

A small ASGI application without a framework (https://asgi.readthedocs.io): a framework's hello-world
costs four times as much as a bare one, and there are only a few routes to tell apart. Most predictions
don't even come here: `service.lane` takes them off the connection before.
"""

import asyncio
import os
from typing import Any

from a2wsgi import WSGIMiddleware

from service.errors import MethodNotAllowed
from service.health import PATHS, health
from service.predictions import Predictions
from service.replica import Replica
from service.reply import Reply
from service.request import (
    Receive,
    Scope,
    Send,
    Target,
    check_content,
    prediction_path,
    read_body,
    read_headers,
)
from service.settings import Settings
from service.versions.load_mark import LoadMark
from service.versions.registry import Registry
from service.web import create_app

FLASK_THREADS = 4


class Door:
    """The ASGI application. Does nothing before the server's start-up event."""

    def __init__(self) -> None:
        self.predictions: Predictions
        self._mark = LoadMark()  # here, before the fork: every worker shares it
        self._registry: Registry
        self._replica: Replica | None = None
        self._flask: Any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or the server's lifespan events."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif path := prediction_path(scope["path"]):
            await send_reply(await self._predict(Target.of(path), scope, receive), send)
        elif scope["path"] in PATHS and scope["method"] in ("GET", "HEAD"):
            predictions = self.predictions
            await send_reply(health(scope["path"], self._registry, predictions.own_fields), send)
        else:
            await self._flask(scope, receive, send)

    def say_last_words(self) -> None:
        """Leave behind what the replica has counted, once the event loop has ended."""
        if self._replica is not None:
            self._replica.say_last_words()

    async def _predict(self, target: Target, scope: Scope, receive: Receive) -> Reply:
        """Read a prediction's body and return its reply."""
        predictions = self.predictions
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        headers = read_headers(scope["headers"])
        request_id = dict(scope["headers"]).get(b"x-request-id", b"")
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed(f"{scope['path']} takes POST, got {scope['method']}")
            check_content(headers, target)  # before a byte of it is read
            body = await read_body(headers, receive, predictions.max_body_bytes)
        except Exception as error:
            predictions.refuse(target, headers, error, request_id, reply.set_result)
            return await reply
        exchange = predictions.begin(target, headers, body, request_id, reply.set_result)
        try:
            return await reply
        finally:
            exchange.abandon()  # of no effect once it has been answered

    async def _live(self, receive: Receive, send: Send) -> None:
        """Make the replica when the server starts, and end it when the server stops."""
        await receive()
        self._replica = replica = Replica(Settings.read(os.environ), self._mark)
        self.predictions = make_predictions(replica)
        self._registry = replica.registry
        self._flask = WSGIMiddleware(create_app(replica).wsgi_app, workers=FLASK_THREADS)  # type: ignore[arg-type]
        await replica.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await replica.stop()
        await self.predictions.stop()
        await send({"type": "lifespan.shutdown.complete"})


def make_predictions(replica: Replica) -> Predictions:
    """Return the predictions of a replica, traced where it is said where to send traces."""
    if not replica.settings.otel_exporter_otlp_endpoint:
        return Predictions(replica)
    from service.tracing.predictions import TracedPredictions  # brings OpenTelemetry: 0.2 s, 25 MB

    return TracedPredictions(replica)


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a reply as ASGI events."""
    head = reply.head
    headers = [*head.fields, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": head.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


app = Door()
