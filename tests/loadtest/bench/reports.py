"""A report that nobody measured: round figures, all nine workloads, and what meets every target."""

from dataclasses import replace

from loadtest.bench.report import (
    ENGINE,
    FASTAPI,
    FLOTILLA,
    RETURN_200,
    Arrivals,
    Measurement,
    Replica,
    Report,
    Run,
)
from loadtest.bench.workloads import WORKLOADS

MACHINE = {
    "commit": "abc1234",
    "cpu": "Abacus",
    "cores": "2",
    "nginx": "1.2",
    "python": "3.4",
    "scikit-learn": "5.6",
}
ROW_RATES = {FLOTILLA: (8000.0, 6000.0, 7000.0), FASTAPI: (90.0, 110.0, 100.0), RETURN_200: (14000.0,)}


def report(failed: int = 0, held: float = 1000.0, flotilla: float = 1.0) -> Report:
    """Return it; some requests may fail, arrivals be late, and Flotilla be slower."""
    measurements = []
    for workload in WORKLOADS:
        for server, rates in {**ROW_RATES, ENGINE: (70000.0,)}.items():
            if (
                workload.model == "digits"
                or server in (FLOTILLA, ENGINE)
                or (server == FASTAPI and workload.model == workload.original)
            ):
                factor = flotilla if server == FLOTILLA else 1.0
                runs = [Run(rate * factor / workload.rows_per_request, 1.0, 2.0) for rate in rates]
                measurements.append(Measurement(workload, server, runs))
    first = measurements[0]
    runs = [replace(first.runs[0], non_2xx=failed), *first.runs[1:]]
    measurements[0] = replace(first, runs=runs, tiers={"redis": 990, "miss": 10})
    arrivals = {
        FLOTILLA: [Arrivals(1000.0, held, 1.0, p99, 9.0, 0) for p99 in (2.0, 4.0, 3.0)],
        FASTAPI: [Arrivals(50.0, 50.0, 1.0, 8.0, 9.0, 0)],
    }
    replica = Replica([80.0, 90.5, 81.0], [0.9, 1.7, 1.0])
    return Report(MACHINE, {"runs": "3"}, measurements, arrivals, replica)
