"""Timing: an engine and rows come in, the microseconds of a call by its number of rows go out."""

import time
from statistics import median

from threadpoolctl import threadpool_limits

from service.engine import Engine
from service.rows import Rows

SIZES = (1, 8, 64, 256)
SECONDS_FOR_A_SIZE = 0.2
FEWEST_CALLS, MOST_CALLS = 7, 200


def time_calls(engine: Engine, rows: Rows, output: str) -> dict[int, float]:
    """Return the median for each size, with one thread as in a replica and other rows in each call.

    A row that is repeated stays in the processor's caches and makes a forest three times as fast.
    """
    with threadpool_limits(1):
        return {size: round(_median_us(engine, rows, output, size), 1) for size in SIZES}


def _median_us(engine: Engine, rows: Rows, output: str, size: int) -> float:
    batches = [
        rows.take([(call * size + i) % len(rows) for i in range(size)]) for call in range(MOST_CALLS)
    ]
    engine.run(batches[-1], (output,))
    spent: list[float] = []
    for batch in batches:
        started = time.perf_counter()
        engine.run(batch, (output,))
        spent.append(time.perf_counter() - started)
        if len(spent) >= FEWEST_CALLS and sum(spent) > SECONDS_FOR_A_SIZE:
            break
    return median(spent) * 1e6


def describe_factor(factor: float) -> str:
    """Return a factor with as many digits as a timing is good for."""
    return f"{factor:.0f}" if factor >= 10 else f"{factor:.1f}"
