"""What the bench sends: digits, with a mark that a number replaces so that no two bodies are equal.

In: the model that a server is to agree with. Out: the bodies for `wrk.py`; an error when a server
answers anything else than scikit-learn does in this process.
"""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from sklearn.datasets import load_digits

from loadtest.bench.servers import Server

# As wide as "0.1234567": what `lua/unique.lua` writes over it. Seven digits stay different in
# float32 as well, so a server that narrows its input still sees no row twice.
MARK = "@" * 9
NUMBERS = 10**7
TEMPLATE_ROWS = 1792
CHECKED_ROWS = 200


class WrongAnswerError(Exception):
    """A server disagrees with scikit-learn, so its rate means nothing."""


@dataclass(frozen=True)
class Workload:
    """Requests of one shape for one model."""

    model: str
    rows_per_request: int

    @property
    def title(self) -> str:
        """Name the workload for people."""
        rows = "1 row" if self.rows_per_request == 1 else f"{self.rows_per_request} rows"
        return f"{self.model}, {rows}"

    def url(self, server: Server) -> str:
        """Return where a server takes these requests."""
        return f"{server.url}/v1/models/{self.model}:predict"

    def templates(self) -> list[str]:
        """Return bodies, all of different rows, with the mark for the first pixel of each row.

        That pixel is blank in every image, so no model looks at it. The spacing is the one that
        Python's `json` and with it most clients produce.
        """
        pixels = load_digits().data[:TEMPLATE_ROWS].tolist()
        rows = [[MARK, *row[1:]] for row in pixels]
        size = self.rows_per_request
        groups = [rows[start : start + size] for start in range(0, len(rows), size)]
        return [json.dumps({"instances": group}).replace(f'"{MARK}"', MARK) for group in groups]


WORKLOADS = (Workload("digits", 1), Workload("digits", 64), Workload("digits-forest", 1))


def check(server: Server, workload: Workload, model: Any) -> None:
    """Compare a server's predictions for 200 rows or more with the model's own.

    Raises WrongAnswerError with the first difference.
    """
    requests = -(-CHECKED_ROWS // workload.rows_per_request)
    bodies = [each.replace(MARK, "0.0000000") for each in workload.templates()[:requests]]
    rows = [json.loads(body)["instances"] for body in bodies]
    expected = np.split(model.predict(np.concatenate(rows)), requests)
    url = urlsplit(workload.url(server))
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    try:
        for body, classes in zip(bodies, expected, strict=True):
            connection.request("POST", url.path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            answer = reply.read()
            right = {"predictions": classes.tolist()}
            if reply.status != 200 or json.loads(answer) != right:
                raise WrongAnswerError(
                    f"{server.name}, {workload.title}: status {reply.status}, "
                    f"{answer[:300]!r}, but scikit-learn says {right}"
                )
    finally:
        connection.close()
