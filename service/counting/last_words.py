"""What a replica has counted until its end: a small file that outlives it, for `flotilla audit`.

Prometheus asks every few seconds, so what a replica counts after its last look would be lost. A file is
begun when a replica starts and gets its counts when it has ended gracefully: one that stays without
counts, and whose replica is gone, tells of one that was killed.
"""

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric

log = logging.getLogger(__name__)

SUFFIX = ".life"  # not .json: those are the reports beside them
MOST_LIVES = 500
STARTED = "process_start_time_seconds"
# What the audit adds up, all counters.
AUDITED = ("flotilla_requests", "flotilla_rows", "flotilla_cache_rows")


class Count(Struct, frozen=True):
    """One series of a counter: `name` without `_total`, its labels, and its value."""

    name: str
    labels: dict[str, str]
    value: float


class Life(Struct, frozen=True):
    """One process of a replica, by Unix times. `ended` is 0 and `counts` empty until it has ended."""

    replica: str
    started: float
    ended: float = 0.0
    counts: list[Count] = []


class LastWords:
    """The file of one replica. Whatever keeps it from being written keeps nobody from serving."""

    def __init__(self, folder: Path, replica: str, registry: CollectorRegistry) -> None:
        self._folder = folder
        self._replica = replica
        self._registry = registry
        # As its metrics say: whoever asks a live replica knows which file is its own.
        self._started = registry.get_sample_value(STARTED) or time.time()
        self._path = folder / f"{replica}-{self._started:.2f}{SUFFIX}"

    def begin(self) -> None:
        """Note that the replica lives, and forget those that began longest ago where there are many."""
        self._write(Life(self._replica, self._started))
        known = sorted(self._folder.glob(f"*{SUFFIX}"), key=_modified)
        for old in known[:-MOST_LIVES]:
            with suppress(OSError):
                old.unlink()

    def end(self) -> None:
        """Write what the replica has counted; nothing may be counted afterwards."""
        counts = counted(self._registry.collect())
        self._write(Life(self._replica, self._started, time.time(), counts))

    def _write(self, life: Life) -> None:
        beside = self._path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(life))
            beside.rename(self._path)
        except OSError as error:
            log.warning("`flotilla audit` won't know what this replica has counted: %s", error)


def counted(families: Iterable[Metric]) -> list[Count]:
    """Return the series that the audit adds up, of a replica's own metrics or of what it shows."""
    return [
        Count(family.name, dict(sample.labels), sample.value)
        for family in families
        if family.name in AUDITED
        for sample in family.samples
        if sample.name == f"{family.name}_total"
    ]


def read_lives(folder: Path) -> list[Life]:
    """Return all that are known, those that live as well, the oldest first."""
    lives = []
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError, ValueError):  # forgotten meanwhile, or no file of ours
            lives.append(msgspec.json.decode(path.read_bytes(), type=Life))
    return sorted(lives, key=lambda life: life.started)


def _modified(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
