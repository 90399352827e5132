"""Latencies counted by size: seconds come in, percentiles to three digits go out; histograms add up.

A percentile of percentiles is nobody's: what several processes have measured is added up as counts.
High dynamic range, after Gil Tene: https://hdrhistogram.github.io/HdrHistogram/. Used by the generator,
by Locust's scenarios and by every study.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Self

from hdrh.histogram import HdrHistogram

MICROSECONDS = 1e6
# What is shorter counts as this, what is longer as that.
SHORTEST_US, LONGEST_US = 1, 3_600_000_000
DIGITS = 3


class Histogram:
    """Latencies of requests; what is read is within 0.1 % of what was counted, or a microsecond."""

    def __init__(self) -> None:
        self._counts = HdrHistogram(SHORTEST_US, LONGEST_US, DIGITS)

    @classmethod
    def of(cls, latencies_seconds: Iterable[float]) -> Self:
        """Return a histogram of latencies, in seconds."""
        histogram = cls()
        # Most are equal at a microsecond's precision, and each different one takes 2 µs.
        values = Counter(int(latency * MICROSECONDS + 0.5) for latency in latencies_seconds)
        for value, count in values.items():
            histogram._record(value, count)
        return histogram

    @classmethod
    def decode(cls, encoded: str) -> Self:
        """Return the histogram that `encode` has written; raise ValueError for anything else."""
        histogram = cls()
        try:
            histogram._counts = HdrHistogram.decode(encoded)
        except Exception as error:  # its decoder raises struct's, zlib's and its own, by what is wrong
            raise ValueError(f"no histogram of latencies: {error}") from error
        return histogram

    def encode(self) -> str:
        """Return the counts in HdrHistogram's own compressed format (V2), as base64."""
        encoded: bytes = self._counts.encode()
        return encoded.decode()

    def record(self, latency_seconds: float) -> None:
        """Count a latency, in seconds."""
        self._record(int(latency_seconds * MICROSECONDS + 0.5), 1)

    def _record(self, microseconds: int, count: int) -> None:
        self._counts.record_value(min(max(microseconds, SHORTEST_US), LONGEST_US), count)

    def add(self, other: "Histogram") -> None:
        """Count what another one has counted as well."""
        self._counts.add(other._counts)

    @property
    def count(self) -> int:
        """Return how many latencies were counted."""
        return int(self._counts.total_count)

    @property
    def mean_seconds(self) -> float:
        """Return their mean, 0 where there are none."""
        return float(self._counts.get_mean_value()) / MICROSECONDS if self.count else 0.0

    @property
    def longest_seconds(self) -> float:
        """Return the longest, 0 where there are none."""
        return float(self._counts.get_max_value()) / MICROSECONDS if self.count else 0.0

    def quantile_seconds(self, share: float) -> float:
        """Return what `share` (0 to 1) of the requests didn't exceed, 0 where there are none."""
        if not self.count:
            return 0.0
        return float(self._counts.get_value_at_percentile(share * 100)) / MICROSECONDS

    def curve(self, shares: Iterable[float]) -> list[tuple[float, float]]:
        """Return (share, seconds) for each share of the requests."""
        return [(share, self.quantile_seconds(share)) for share in shares]
