"""What was measured, as it is kept in a file: medians, spreads, ratios; JSON out and in again.

In: the runs of each workload and server. Out: a `Report`, for `table.py`, `chart.py`, `readme.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Self

import msgspec

from loadtest.bench.workloads import Workload

FLOTILLA, FASTAPI, RETURN_200 = "Flotilla", "FastAPI", "return 200"
ENGINE = "engine alone"


@dataclass(frozen=True)
class Run:
    """One run's outcome; wrk's latencies are those of a closed loop of 32 connections."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    non_2xx: int = 0
    socket_errors: int = 0

    @property
    def failed(self) -> int:
        """Count the requests that went wrong."""
        return self.non_2xx + self.socket_errors


@dataclass(frozen=True)
class Measurement:
    """All runs of one workload against one server, and the tiers that answered before (X-Cache)."""

    workload: Workload
    server: str
    runs: list[Run]
    tiers: dict[str, int] = field(default_factory=dict)

    @property
    def rates(self) -> list[float]:
        """Return rows per second of each run, in the order of the runs."""
        return [run.requests_per_second * self.workload.rows_per_request for run in self.runs]

    @property
    def rate(self) -> float:
        """Return the median of the rates."""
        return median(self.rates)

    @property
    def p99_ms(self) -> float:
        """Return the median of the runs' p99."""
        return median(run.p99_ms for run in self.runs)

    @property
    def failed(self) -> int:
        """Count what went wrong in all the runs."""
        return sum(run.failed for run in self.runs)


@dataclass(frozen=True)
class Arrivals:
    """One run at a fixed rate of arrivals; latencies count from the moment a request was due."""

    target_per_second: float
    held_per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    failed: int

    @property
    def held(self) -> bool:
        """Say whether the generator kept within 1 % of its rate; if not, latencies mean nothing."""
        return abs(self.held_per_second / self.target_per_second - 1) <= 0.01


@dataclass(frozen=True)
class Replica:
    """Each measured start of one replica with one compiled model: its memory, its seconds to ready."""

    pss_mb: list[float]
    start_seconds: list[float]


@dataclass(frozen=True)
class Report:
    """What was measured, on what."""

    machine: dict[str, str]
    settings: dict[str, str]
    measurements: list[Measurement]
    arrivals: dict[str, list[Arrivals]]  # by server, for unique rows of `digits`
    replica: Replica

    @property
    def failed(self) -> int:
        """Count what went wrong in all the runs: with any, the figures aren't to be quoted."""
        open_loop = sum(run.failed for runs in self.arrivals.values() for run in runs)
        return open_loop + sum(measurement.failed for measurement in self.measurements)

    def find(self, workload: Workload, server: str) -> Measurement:
        """Return what answers to a workload at a server; raise KeyError where nothing does.

        The hand-written server has each model once, whatever engine Flotilla uses for it, and
        nginx's `return 200` doesn't look at the model at all.
        """
        model = {FASTAPI: workload.original, RETURN_200: "digits"}.get(server, workload.model)
        return self._by_key[Workload(model, workload.shape), server]

    def ratio(self, measurement: Measurement, server: str) -> float:
        """Return a measurement's rate as a multiple of another server's on the same workload."""
        return measurement.rate / self.find(measurement.workload, server).rate

    @property
    def _by_key(self) -> Mapping[tuple[Workload, str], Measurement]:
        return {(each.workload, each.server): each for each in self.measurements}

    def json(self) -> bytes:
        """Return everything, each single run included."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Return the report that `json` wrote; raise msgspec.MsgspecError for anything else."""
        return msgspec.json.decode(content, type=cls)


def short(rate: float) -> str:
    """Return a rate in three figures: more would claim a precision that no run has."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if rate >= limit:
            return f"{rate / limit:#.3g}".rstrip(".") + unit
    return f"{rate:.0f}"
