"""The door of a replica: predictions are answered on the event loop, everything else is Flask's.

A small ASGI application without a framework (https://asgi.readthedocs.io): a framework's hello-world
costs four times as much as a bare one, and there are only two routes to tell apart.
"""

import os
from typing import Any

from a2wsgi import WSGIMiddleware

from service.predictions import PREDICTION_PATH, Predictions
from service.replica import Replica
from service.request import Receive, Scope, Send
from service.settings import Settings
from service.web import create_app

FLASK_THREADS = 4


class Door:
    """The ASGI application. Does nothing before the server's start-up event."""

    def __init__(self) -> None:
        self._predictions: Predictions
        self._flask: Any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or the server's lifespan events."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif match := PREDICTION_PATH.fullmatch(scope["path"]):
            await self._predictions.answer(match, scope, receive, send)
        else:
            await self._flask(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Make the replica when the server starts, and end it when the server stops."""
        await receive()
        replica = Replica(Settings.read(os.environ))
        self._predictions = Predictions(replica)
        self._flask = WSGIMiddleware(create_app(replica).wsgi_app, workers=FLASK_THREADS)  # type: ignore[arg-type]
        await replica.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await replica.stop()
        await send({"type": "lifespan.shutdown.complete"})


app = Door()
