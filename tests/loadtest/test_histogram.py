"""Histograms: what is read is what was counted, to three digits, in one process or in several."""

import pytest

from loadtest.histogram import Histogram

LATENCIES = [0.0, 0.0000004, 0.00012, 0.00012, 0.0123, 0.5, 59.0, 10_000.0]


def test_all_at_once_is_one_by_one() -> None:
    """A histogram of many latencies is the one that recorded each, the impossible ones included."""
    recorded = Histogram()
    for each in LATENCIES:
        recorded.record(each)
    assert Histogram.of(LATENCIES).encode() == recorded.encode()
    assert recorded.count == len(LATENCIES)


@pytest.mark.parametrize(("share", "seconds"), [(0.0, 1e-6), (0.5, 0.00012), (0.75, 0.5), (0.87, 59.0)])
def test_quantiles_are_within_a_thousandth(share: float, seconds: float) -> None:
    """A share of the requests took at most so long, from a microsecond to an hour."""
    assert Histogram.of(LATENCIES).quantile_seconds(share) == pytest.approx(seconds, rel=0.001)


def test_parts_add_up() -> None:
    """Percentiles of two processes' requests are those of all, also after they were written down."""
    both = Histogram.decode(Histogram.of(LATENCIES[:3]).encode())
    both.add(Histogram.decode(Histogram.of(LATENCIES[3:]).encode()))
    assert both.encode() == Histogram.of(LATENCIES).encode()
    assert both.longest_seconds == pytest.approx(3600, rel=0.001)


def test_nothing_is_nothing() -> None:
    """Without a latency there is no percentile, and what is no histogram isn't one."""
    empty = Histogram()
    assert (empty.count, empty.mean_seconds, empty.longest_seconds) == (0, 0.0, 0.0)
    assert empty.quantile_seconds(0.99) == 0.0
    with pytest.raises(ValueError, match="no histogram"):
        Histogram.decode("no")
