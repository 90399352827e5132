"""What one process counts while it loads, and what it hands over at the end.

Each request is in it exactly once. While it runs, latencies are only put into arrays: a histogram
takes 2 µs for each, and gets them once nothing is measured any more.
"""

from array import array

from msgspec import Struct

from loadtest.generator.reply import Labels
from loadtest.histogram import Histogram
from loadtest.study.study import Second

FAILURES_KEPT = 20


class Counted(Struct, kw_only=True):
    """What a process has counted; `merge.py` adds several up."""

    sent: int
    ok: int
    failed: int
    lost: int
    unsent: int
    numbers: int
    failures: list[tuple[float, str]]  # seconds from the start
    by_second: list[Second]
    labels: list[tuple[int, str, str, str, int]]  # as in `Labels`, and how many replies
    lag: str  # encoded histogram
    in_flight: float
    cpu_seconds: float
    core_wait_seconds: float = 0.0


class OneSecond:
    """The replies of one second; `latencies` in seconds."""

    def __init__(self) -> None:
        self.ok = self.failed = 0
        self.latencies = array("d")


class Account:
    """The account of one process; all times are those of `time.perf_counter`."""

    def __init__(self) -> None:
        """Begin with nothing; `started` is set when the load begins."""
        self.started = 0.0
        self._seconds: list[OneSecond] = []
        self._labels: dict[Labels, int] = {}
        self._failures: list[tuple[float, str]] = []
        self._samples = self._under_way = 0
        self.lags = array("d")
        self.sent = self.lost = self.unsent = 0
        self.cpu_seconds = self.core_wait_seconds = 0.0

    def reply(self, now: float, latency: float, labels: Labels, wrong: str | None) -> None:
        """Count a whole reply."""
        second = int(now - self.started)
        while second >= len(self._seconds):
            self._seconds.append(OneSecond())
        counts = self._seconds[second]
        counts.latencies.append(latency)
        self._labels[labels] = self._labels.get(labels, 0) + 1
        if wrong is None:
            counts.ok += 1
        else:
            counts.failed += 1
            self.note(now, wrong)

    def loss(self, now: float, reason: str) -> None:
        """Count a request to which no whole reply came."""
        self.lost += 1
        self.note(now, f"lost: {reason}")

    def note(self, now: float, reason: str) -> None:
        """Remember what went wrong, unless there are enough."""
        if len(self._failures) < FAILURES_KEPT:
            self._failures.append((now - self.started, reason))

    def sample(self, under_way: int) -> None:
        """Count how many requests are under way at this moment."""
        self._samples += 1
        self._under_way += under_way

    def counted(self, numbers: int) -> Counted:
        """Return everything; `numbers` is how many were used to make requests unique."""
        return Counted(
            sent=self.sent,
            ok=sum(each.ok for each in self._seconds),
            failed=sum(each.failed for each in self._seconds),
            lost=self.lost,
            unsent=self.unsent,
            numbers=numbers,
            failures=self._failures,
            by_second=[
                Second(each.ok, each.failed, Histogram.of(each.latencies).encode())
                for each in self._seconds
            ],
            labels=[
                (status, *(value.decode("latin-1") for value in values), count)  # type: ignore[misc]
                for (status, *values), count in self._labels.items()
            ],
            lag=Histogram.of(self.lags).encode(),
            in_flight=self._under_way / self._samples if self._samples else 0.0,
            cpu_seconds=self.cpu_seconds,
            core_wait_seconds=self.core_wait_seconds,
        )
