"""Bins for a column of numbers: its values come in, the ends of bins of about equal size go out.

Called by `deploy.baseline`.
"""

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray


def bin_edges(values: NDArray[np.float64], most: int) -> tuple[float, ...]:
    """Return the ends of at most `most` bins with about as many values each; missing ones don't count.

    A value that fills a bin alone gets one of its own. One value only gets a bin with whatever is as
    good as equal, and one on either side: a column that was constant is seen to change.
    """
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if len(distinct) == 0:
        return ()
    if len(distinct) == 1:
        only = float(distinct[0])
        margin = max(abs(only), 1.0) * 1e-6
        return (only - margin, only + margin)
    numbers: list[float] = distinct.tolist()
    tries = (_lasts(counts.tolist(), bins) for bins in range(most, 1, -1))
    # Values with a bin of their own may cut others short, into more bins than were wanted.
    lasts = next((each for each in tries if len(each) < most), _lasts(counts.tolist(), 2)[: most - 1])
    return tuple(_between(numbers[last], numbers[last + 1]) for last in lasts)


def _lasts(counts: Sequence[int], bins: int) -> list[int]:
    """Return the positions of the last value of each bin but the last one."""
    size = sum(counts) / bins
    lasts, rows = [], 0
    for place, count in enumerate(counts):
        if rows and count >= size:
            lasts.append(place - 1)
            rows = 0
        rows += count
        if rows >= size - 1e-9:
            lasts.append(place)
            rows = 0
    return [last for last in lasts if last < len(counts) - 1]


def _between(low: float, high: float) -> float:
    """Return the number with the fewest digits in the middle between two, or else the lower one."""
    middle = low / 2 + high / 2
    for digits in range(1, 18):
        rounded = float(f"{middle:.{digits}g}")
        if low < rounded < high and isfinite(rounded):
            return rounded
    return low
