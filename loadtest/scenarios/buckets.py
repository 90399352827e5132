"""How finely Locust's own tables and page count latencies: three digits, down to 10 µs.

By default they are rounded to milliseconds, where a prediction takes one at most.
"""

import math

from locust import stats


def refine_buckets() -> None:
    """Replace Locust's rounding; it is made to be replaced."""
    stats.bucket_response_time = bucket  # type: ignore[assignment]  # it takes floats as well


def bucket(milliseconds: float) -> float:
    """Return a latency rounded to three digits, and to no less than 0.01 ms."""
    if milliseconds <= 0:
        return 0.0
    return round(milliseconds, min(2, 2 - math.floor(math.log10(milliseconds))))
