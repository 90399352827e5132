"""Figures of the stack at one moment: what `questions` finds and what `screen` and `--json` show.

None, everywhere, is what Prometheus hasn't got: a metric that nobody exports, or a ratio of nothing.
Shares and ratios are from 0 to 1, rates are per second.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Alert:
    """An alert that fires, `count` times with other labels."""

    name: str
    severity: str
    count: int


@dataclass(frozen=True)
class Cache:
    """Who answered: shares of a version's requests that sum to 1.

    `edge` is nginx by itself. The others are shared out as the replicas' rows are: `redis` found or
    already being computed, `miss` looked up in vain and computed, `bypass` computed without a look-up.
    """

    edge: float
    redis: float
    miss: float
    bypass: float


@dataclass(frozen=True)
class Score:
    """How well a version does, from feedback: accuracy, or the mean absolute error."""

    name: Literal["accuracy", "mae"]
    value: float


@dataclass(frozen=True)
class Drift:
    """The feature with the largest population stability index, and that."""

    feature: str
    psi: float


@dataclass(frozen=True)
class VersionFigures:
    """One version of a model. Latencies are a replica's; `share` is of the model's requests."""

    model: str
    version: str
    engine: str | None
    share_wanted: float | None
    share: float | None
    requests_per_second: float | None
    rows_per_second: float | None
    p50_seconds: float | None
    p99_seconds: float | None
    error_ratio: float | None
    cache: Cache | None
    score: Score | None
    drift: Drift | None


@dataclass(frozen=True)
class ReplicaFigures:
    """One replica. `cpu` is in cores: 1.0 is one that is busy all the time."""

    replica: str
    up: bool
    ready: bool | None = None
    requests_per_second: float | None = None
    p99_seconds: float | None = None
    cpu: float | None = None
    memory_bytes: float | None = None
    in_flight: float | None = None
    queue_rows: float | None = None
    uptime_seconds: float | None = None


@dataclass(frozen=True)
class Curves:
    """The last minutes, oldest first, a point each `step_seconds`."""

    step_seconds: int
    requests_per_second: tuple[float | None, ...]
    p99_seconds: tuple[float | None, ...]


@dataclass(frozen=True)
class Figures:
    """The stack at `at`, in Unix seconds.

    `counted_at` tells what requests, errors and shares are counts of: "door" all of them, "replicas"
    those that nginx passed on, where its own count isn't to be had.
    """

    at: float
    url: str
    counted_at: Literal["door", "replicas"]
    replicas_ready: int
    replicas_up: int
    replicas_known: int
    requests_per_second: float | None
    error_ratio: float | None
    p50_seconds: float | None
    p99_seconds: float | None
    edge_share: float | None
    alerts: tuple[Alert, ...]
    versions: tuple[VersionFigures, ...]
    replicas: tuple[ReplicaFigures, ...]
    curves: Curves
