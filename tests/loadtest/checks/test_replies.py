"""Replies = requests: whatever didn't come back, or came back wrong, takes the figure with it."""

import pytest
from msgspec.structs import replace

from loadtest.checks.replies import check_replies
from tests.loadtest.checks.judged import SETTINGS, judged
from tests.loadtest.studies import make_run


def test_every_request_was_answered() -> None:
    """As many right replies as requests are said with their number."""
    judged(check_replies(make_run(500), SETTINGS), "ok", "5,000 requests, as many right replies")


def test_replies_lost() -> None:
    """One lost reply of 5,000 refuses the run, with the first reason."""
    run = replace(make_run(500), ok=4999, lost=1, failures=["1.5 s: reset"])
    judged(check_replies(run, SETTINGS), "refused", "1 got no whole reply", "0.02 %", "1.5 s: reset")


def test_wrong_replies() -> None:
    """Replies that aren't the right ones count like lost ones."""
    run = replace(make_run(500), ok=4900, failed=100)
    judged(check_replies(run, SETTINGS), "refused", "100 a wrong one (2.0 %)")


def test_requests_of_unknown_end() -> None:
    """A generator that lost count of its requests is believed nothing."""
    judged(check_replies(replace(make_run(500), ok=4990), SETTINGS), "refused", "4,990 ended")


def test_nothing_right() -> None:
    """A run without a right reply has no figure."""
    run = replace(make_run(500), sent=0, ok=0)
    judged(check_replies(run, SETTINGS), "refused", "not one right reply")


@pytest.mark.parametrize(
    ("purpose", "unsent", "verdict"),
    [
        *(("objective", 0, "ok"), ("objective", 4, "marked"), ("objective", 50, "refused")),
        *(("search", 5000, "marked"),),
    ],
)
def test_never_sent(purpose: str, unsent: int, verdict: str) -> None:
    """What never got a connection belongs to the slowest; a search may find just that."""
    run = replace(make_run(500, loop="open"), purpose=purpose, unsent=unsent)
    assert check_replies(run, SETTINGS).verdict == verdict
