"""The targets that Flotilla is built to: a report comes in, each target with what was reached goes out.

Ratios, since a rate alone says more about the machine. `table.py` prints them.
"""

from dataclasses import dataclass
from statistics import median

from loadtest.bench.report import FASTAPI, FLOTILLA, RETURN_200, Report
from loadtest.bench.workloads import Workload

# Model, shape, compared with which server, at least how many times its rate.
RATIOS = (
    (Workload("digits", "unique"), FASTAPI, 3.5),
    (Workload("digits-forest", "unique"), FASTAPI, 35.0),
    (Workload("forest-sklearn", "unique"), FASTAPI, 15.0),
    (Workload("digits", "batch"), FASTAPI, 2.5),
    (Workload("digits", "repeats"), FASTAPI, 15.0),
    (Workload("digits", "repeats"), RETURN_200, 0.4),
)
P99_MS, PSS_MB, START_SECONDS = 5.0, 90.0, 1.5


@dataclass(frozen=True)
class Target:
    """One target: what was wanted, and what was reached."""

    title: str
    wanted: str
    reached: str
    met: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row."""
        return self.title, self.wanted, self.reached, "yes" if self.met else "NO"


def targets(report: Report) -> list[Target]:
    """Return every target with what the report has for it."""
    ratios = [
        _at_least(f"{workload.title}, x {server}", wanted, report.ratio(measurement, server))
        for workload, server, wanted in RATIOS
        for measurement in [report.find(workload, FLOTILLA)]
    ]
    replica = report.replica
    return [
        *ratios,
        _latency(report),
        _below("PSS of a replica with one ONNX model", PSS_MB, median(replica.pss_mb), "MB"),
        _below("its start until ready", START_SECONDS, median(replica.start_seconds), "s"),
    ]


def _latency(report: Report) -> Target:
    title = "digits: unique rows, open loop at half the peak, p99"
    runs = report.arrivals[FLOTILLA]
    if all(run.held for run in runs):
        return _below(title, P99_MS, median(run.p99_ms for run in runs), "ms")
    return Target(title, f"< {P99_MS:g} ms", "refused: the rate wasn't held", met=False)


def _at_least(title: str, wanted: float, reached: float) -> Target:
    return Target(title, f">= {wanted:g}", f"{reached:.3g}", reached >= wanted)


def _below(title: str, wanted: float, reached: float, unit: str) -> Target:
    return Target(title, f"< {wanted:g} {unit}", f"{reached:.3g} {unit}", reached < wanted)
