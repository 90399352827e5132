"""Send unique digits at a fixed rate of arrivals, whether or not the ones before were answered.

In: a server, the model itself, a rate. Out: `Arrivals`, each reply compared with the model's own class.
`loadtest.generator` does it; `measure.py` calls.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from loadtest.bench.report import FLOTILLA, Arrivals
from loadtest.bench.servers import Server
from loadtest.bench.workloads import MARK, UNMARKED, Workload
from loadtest.generator import Plan, generate
from loadtest.histogram import Histogram
from loadtest.payloads import MARK as NINE_DIGITS
from loadtest.payloads import Payloads, Template, write

CONNECTIONS = 64


def arrive(server: Server, payloads: Path, rate: float, seconds: int, first_number: int) -> Arrivals:
    """Send so many requests a second, evenly spaced, and return what was measured."""
    address = urlsplit(server.url).netloc
    outcome = generate(
        Plan(
            address=address,
            host=address,
            payloads=str(payloads),
            loop="open",
            rate=rate,
            connections=CONNECTIONS,
            seconds=float(seconds),
            arrivals="even",
            first_number=first_number,
        )
    )
    latency = Histogram.decode(outcome.latency)
    p50, p99, longest = (latency.quantile_seconds(share) * 1e3 for share in (0.5, 0.99, 1.0))
    held = outcome.sent / outcome.seconds
    failed = outcome.failed + outcome.lost + outcome.unsent
    return Arrivals(rate, held, p50, p99, longest, failed)


def write_payloads(server: Server, workload: Workload, model: Any, path: Path) -> None:
    """Write a workload's bodies for the generator, with what the model itself says to each.

    Their numbers are negative: wrk has sent positive ones to the same servers.
    """
    bodies = workload.bodies()
    rows = [json.loads(body.replace(MARK, UNMARKED))["instances"] for body in bodies]
    classes = np.split(model.predict(np.concatenate(rows)), len(bodies))
    payloads = Payloads(
        model=workload.model,
        # Only Flotilla says which version answered; the bench publishes one.
        version=1 if server.name == FLOTILLA else 0,
        path=workload.path,
        unique=True,
        rows=workload.rows_per_request,
        templates=[
            Template(body.encode().replace(MARK.encode(), b"-0." + NINE_DIGITS), expected.tolist())
            for body, expected in zip(bodies, classes, strict=True)
        ],
    )
    write(payloads, path)
