"""Traffic for the stack tests: rows of the samples' own hold-out, each with the answer it must get."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from loadtest.client import Load, Payload
from loadtest.result import Result
from service.engine import load_estimator
from service.manifest import read_manifest
from service.version import read_sample


def payloads(version: Path, rows: int = 200, unique: bool = False) -> list[Payload]:
    """Return one request for each row of a tensor model's sample, with what scikit-learn answers.

    `unique` moves one value of each row a little, so that no two runs ask for the same row.
    """
    manifest = read_manifest(version)
    values = read_sample(version / "sample.npz", manifest.signature, rows).model_input()
    if unique:
        values = values + np.random.default_rng().random((len(values), 1)) * 1e-9
    estimator = load_estimator(version / manifest.artifact, manifest.trusted)
    return [
        Payload(msgspec.json.encode({"instances": [row.tolist()]}), [answer])
        for row, answer in zip(values, estimator.predict(values).tolist(), strict=True)
    ]


def under_load(load: Load, seconds: float, fault: Callable[[], None]) -> tuple[Result, float, float]:
    """Run a load, and the fault a third into it; return the result and when the fault began and ended.

    The load goes on for `seconds` after the fault has been dealt with.
    """

    async def run() -> tuple[float, float]:
        async with load:
            await asyncio.sleep(seconds)
            began = load.elapsed
            await asyncio.to_thread(fault)
            ended = load.elapsed
            await asyncio.sleep(seconds)
            return began, ended

    began, ended = asyncio.run(run())
    return load.result, began, ended


def assert_nothing_lost(result: Result) -> None:
    """Every request got its answer, and the answer was right."""
    assert result.sent > 100
    assert (result.failed, result.unsent) == (0, 0), result.failures
    assert result.ok == result.sent
