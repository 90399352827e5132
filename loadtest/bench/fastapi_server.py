"""The server to beat: the same model behind FastAPI, written the way a good engineer would.

uvicorn imports it (`servers.py` starts that, with two workers on uvloop and httptools); the
environment's MODELS names the model files: `name=path`, separated by commas.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import orjson
import skops.io
from fastapi import FastAPI, Request, Response

Handler = Callable[[Request], Awaitable[Response]]

app = FastAPI(title="the same model, by hand")


def predicting(path: Path) -> Handler:
    """Return a handler that answers with the predictions of the model in a file."""
    trusted = skops.io.get_untrusted_types(file=path)  # the file is our own
    model = skops.io.load(path, trusted=trusted)

    async def predict(request: Request) -> Response:
        # The raw body and a raw response: a pydantic model of 64 numbers would cost more than
        # the prediction. Inline, not in a thread pool: the model holds the GIL anyway.
        rows = np.asarray(orjson.loads(await request.body())["instances"], dtype=np.float64)
        answer = {"predictions": model.predict(rows)}
        content = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(content, media_type="application/json")

    return predict


for name, _, path in (pair.partition("=") for pair in os.environ["MODELS"].split(",")):
    app.post(f"/v1/models/{name}:predict")(predicting(Path(path)))
