"""What several processes counted, added up: as one process would have counted it."""

from typing import Any

import pytest

from loadtest.generator.account import Account, Counted
from loadtest.generator.merge import merge
from loadtest.generator.plan import Plan
from loadtest.generator.reply import Labels
from loadtest.histogram import Histogram

PLAN = Plan(
    address="x:1", host="x", payloads="", loop="open", rate=1.0, connections=4, seconds=2.0, processes=2
)
# When a reply came, its latency (seconds), replica, and what was wrong with it.
REPLIES: list[tuple[float, float, bytes, str | None]] = [
    (0.1, 0.010, b"a", None),
    (0.9, 0.020, b"b", "bad"),
    (1.5, 0.030, b"a", None),
    (1.6, 0.500, b"b", None),
    (2.2, 0.900, b"a", "late and bad"),
]


def counted(replies: list[tuple[float, float, bytes, str | None]], **more: Any) -> Counted:
    """Return what a process counts that gets these replies, and one loss after a second."""
    account = Account()
    account.started = 1000.0
    for at, latency, replica, wrong in replies:
        account.sent += 1
        account.lags.append(latency / 100)
        account.reply(1000 + at, latency, Labels(500 if wrong else 200, replica, b"1", b""), wrong)
    account.sent += 1
    account.loss(1001.0, "gone")
    for name, value in more.items():
        setattr(account, name, value)
    return account.counted(numbers=len(replies))


def test_two_processes_are_their_sum() -> None:
    """Counts, seconds, labels and histograms of two are those of one that did both's work."""
    both = merge(PLAN, 1.0, [counted(REPLIES[:2]), counted(REPLIES[2:])])
    one = merge(PLAN, 1.0, [counted(REPLIES)])
    assert (both.ok, both.failed, both.lost) == (3, 2, 2)
    assert both.sent == both.ok + both.failed + both.lost == 7
    for name in ("latency", "by_second", "by_status", "by_replica", "by_version", "by_cache"):
        assert getattr(both, name) == getattr(one, name), name
    assert both.by_replica == {"a": 3, "b": 2}
    assert both.by_status == {"200": 3, "500": 2}
    assert [(each.ok, each.failed) for each in both.by_second] == [(1, 1), (2, 0), (0, 1)]


def test_percentiles_are_those_of_all_requests() -> None:
    """The middle of both is no mean of their middles; the longest lag is the longest of all."""
    outcome = merge(PLAN, 1.0, [counted(REPLIES[:1]), counted(REPLIES[1:])])
    latency = Histogram.decode(outcome.latency)
    assert latency.count == 5
    assert latency.quantile_seconds(0.5) == pytest.approx(0.030, rel=0.001)
    assert outcome.generator.lag_longest_seconds == pytest.approx(0.009, rel=0.001)
    assert outcome.generator.lag_p99_seconds == pytest.approx(0.009, rel=0.001)


def test_what_the_generator_took() -> None:
    """CPU adds up, the busiest process is named, requests under way add up, numbers are a range."""
    quick, slow = counted(REPLIES[:1], cpu_seconds=0.5), counted(REPLIES[1:], cpu_seconds=1.5)
    quick.in_flight, slow.in_flight = 1.25, 2.0
    outcome = merge(PLAN, 1.0, [quick, slow])
    assert outcome.generator.processes == 2
    assert outcome.generator.cpu_seconds == 2.0
    assert outcome.generator.busiest_share == 0.75
    assert outcome.in_flight == 3.25
    assert outcome.numbers_used == 2 * 4


def test_the_first_failures_of_all() -> None:
    """Those that came first are kept, in order, whichever process saw them; each with its second."""
    many = [(at / 10, 0.01, b"a", f"number {at}") for at in range(30)]
    outcome = merge(PLAN, 1.0, [counted(many[1::2]), counted(many[::2])])
    assert outcome.failed == 30
    assert len(outcome.failures) == 20
    assert outcome.failures[:2] == ["0.000 s: number 0", "0.100 s: number 1"]
    assert outcome.failures[10:13] == [
        "1.000 s: lost: gone",
        "1.000 s: lost: gone",
        "1.000 s: number 10",
    ]
