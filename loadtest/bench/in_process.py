"""Rows a second of one process that calls a version's engine directly: what HTTP and batching leave.

`engine_alone` starts a process of its own for it, with one thread as in a replica
(`python -m loadtest.bench.in_process`); different rows at each call, since repeated ones stay in the
processor's cache and are two to three times as fast. `measure.py` calls it.
"""

import json
import sys
import time
from pathlib import Path
from statistics import quantiles

import msgspec
import numpy as np

from loadtest.bench.processes import output_of
from loadtest.bench.report import Run
from loadtest.bench.workloads import MARK, UNMARKED
from service.rows import TensorRows
from service.version import load_version

GRACE_SECONDS = 60


def engine_alone(version: Path, bodies: Path, seconds: float) -> Run:
    """Measure the version in a folder of the registry with the rows of some bodies."""
    arguments = str(version), str(bodies), str(seconds)
    output = output_of(
        "loadtest.bench.in_process", *arguments, patience_seconds=seconds + GRACE_SECONDS
    )
    return msgspec.json.decode(output, type=Run)


def run(version: Path, bodies: Path, seconds: float) -> Run:
    """Call the engine for `predict` with one body's rows after the other; count calls as requests."""
    engine = load_version(version).engine
    lines = bodies.read_text().replace(MARK, UNMARKED).splitlines()
    calls = [TensorRows(np.array(json.loads(line)["instances"], dtype=np.float64)) for line in lines]
    took: list[float] = []
    before = started = time.perf_counter()
    while before < started + seconds:
        engine.run(calls[len(took) % len(calls)], ("predict",))
        now = time.perf_counter()
        took.append(now - before)
        before = now
    percentiles = quantiles(took, n=100, method="inclusive")
    return Run(len(took) / (before - started), percentiles[49] * 1e3, percentiles[98] * 1e3)


if __name__ == "__main__":
    version, bodies, seconds = sys.argv[1:]
    outcome = run(Path(version), Path(bodies), float(seconds))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
