"""Ask a server before it is measured: its classes must be scikit-learn's, cached ones as well.

In: a server, a workload, the model itself. Out: which tier of the cache answered how often, or an
error. `measure.py` calls it, for repeats before each run.
"""

import http.client
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from loadtest.bench.servers import Server
from loadtest.bench.workloads import MARK, UNMARKED, Workload

Question = tuple[str, NDArray[Any]]  # a body, and the classes of its rows

CHECKED_ROWS = 200
CLIENTS = 8
# A cache may keep an answer only once it has been asked for twice; the third pass then shows it.
PASSES = 3


class WrongAnswerError(Exception):
    """A server disagrees with scikit-learn, so its rate means nothing."""


def check(server: Server, workload: Workload, model: Any) -> Counter[str]:
    """Compare a server's predictions for 200 rows or more with the model's own, once.

    Raises WrongAnswerError with the first difference.
    """
    requests = -(-CHECKED_ROWS // workload.rows_per_request)
    return _compare(server, workload, model, workload.bodies()[:requests])


def warm_up(server: Server, workload: Workload, model: Any) -> Counter[str]:
    """Ask for each of the bodies until a cache must have it, and compare every answer.

    Returns how many answers of the last pass each tier gave, by `X-Cache`.
    """
    bodies = workload.bodies()
    return [_compare(server, workload, model, bodies) for _ in range(PASSES)][-1]


def _compare(server: Server, workload: Workload, model: Any, templates: list[str]) -> Counter[str]:
    """Send each body once, from a few clients, and compare the answers."""
    bodies = [each.replace(MARK, UNMARKED) for each in templates]
    rows = [json.loads(body)["instances"] for body in bodies]
    expected = np.split(model.predict(np.concatenate(rows)), len(bodies))
    questions = list(zip(bodies, expected, strict=True))
    parts = [questions[first::CLIENTS] for first in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(lambda part: _ask(server, workload, part), parts), Counter())


def _ask(server: Server, workload: Workload, questions: Sequence[Question]) -> Counter[str]:
    """Send bodies one after the other over one connection, and compare the answers."""
    tiers: Counter[str] = Counter()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        for body, classes in questions:
            connection.request("POST", workload.path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            answer = reply.read()
            right = {"predictions": classes.tolist()}
            if reply.status != 200 or json.loads(answer) != right:
                raise WrongAnswerError(
                    f"{server.name}, {workload.title}: status {reply.status}, "
                    f"{answer[:300]!r}, but scikit-learn says {right}"
                )
            tiers[reply.headers.get("X-Cache", "none")] += 1
    finally:
        connection.close()
    return tiers
