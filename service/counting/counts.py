"""What one version has answered, as plain numbers: the stations of a request add to them.

A counter of prometheus_client takes a lock and 0.6 µs, and a request would need eight of them. These
have no lock: only the event loop writes, and `collector.py` reads them when Prometheus asks.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from service.counting.predicted import Predicted

# Upper bounds of buckets, as Prometheus has them ("le").
SECONDS = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
)
# Of a station of the way: a compiled model's call takes 5 µs.
STATION_SECONDS = (0.000005, 0.00001, 0.000025, 0.00005, *SECONDS)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


class Distribution:
    """A histogram: how many values fell into each bucket, the last one unbounded, and their sum."""

    __slots__ = ("bounds", "buckets", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Add a value."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Return (le, values up to it) for each bucket, as the exposition format wants them."""
        # A copy first: the loop may add meanwhile, and buckets must not shrink from one to the next.
        counts, total, pairs = list(self.buckets), 0, []
        for bound, count in zip([*map(float, self.bounds), float("inf")], counts, strict=True):
            total += count
            pairs.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
        return pairs


# Reading and writing are timed for every so many requests: both together for each would take 2 %.
TIMED_EVERY = 16


class Counts:
    """The counts of one version. Only the event loop adds to them.

    `untimed` is how many requests have come since the last one whose parsing was timed. Replies are
    timed while it is 0.
    """

    __slots__ = (
        "batch_rows",
        "cache_rows",
        "inference_seconds",
        "parse_seconds",
        "predicted",
        "queue_seconds",
        "reply_seconds",
        "request_seconds",
        "requests",
        "rows",
        "untimed",
    )

    def __init__(self) -> None:
        self.untimed = 0
        self.requests: defaultdict[tuple[str, int], int] = defaultdict(int)  # (protocol, status)
        self.rows = 0
        # The same rows by what the cache did for them: they add up to `rows`.
        self.cache_rows: defaultdict[str, int] = defaultdict(int)
        self.request_seconds = Distribution(SECONDS)
        self.parse_seconds = Distribution(STATION_SECONDS)
        self.queue_seconds = Distribution(STATION_SECONDS)
        self.inference_seconds = Distribution(STATION_SECONDS)
        self.reply_seconds = Distribution(STATION_SECONDS)
        self.batch_rows = Distribution(ROWS)
        self.predicted: Predicted | None = None  # None also where nothing is to be summed up

    def cached(self, sources: Sequence[str]) -> None:
        """Count the rows of one answer by what the cache did for them."""
        for source in set(sources):
            self.cache_rows[source] += sources.count(source)

    def parsed(self, seconds: float) -> None:
        """Count what reading a request took."""
        self.untimed = 0
        self.parse_seconds.observe(seconds)

    def inferred(self, seconds: float, rows: int) -> None:
        """Count one call of the engine."""
        self.inference_seconds.observe(seconds)
        self.batch_rows.observe(rows)


class ShadowCounts:
    """The counts of one version in the shadow of others, whose numbers are the `answered` here.

    Only the shadow's thread adds, but for `dropped`, which is the event loop's.
    """

    __slots__ = ("compared", "dropped", "inference_seconds")

    def __init__(self) -> None:
        # Rows by (answered, "agree", "disagree" or "failed").
        self.compared: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.dropped: defaultdict[str, int] = defaultdict(int)  # rows by answered
        self.inference_seconds = Distribution(STATION_SECONDS)
