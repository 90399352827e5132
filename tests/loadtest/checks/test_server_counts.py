"""Server's counts = client's, to the request."""

import pytest
from msgspec.structs import replace

from loadtest.checks.server_counts import check_server_counts
from loadtest.study.study import Purpose, Verdict
from tests.loadtest.checks.judged import judged, server
from tests.loadtest.studies import make_run

RUN = make_run(500, replicas=2)


def test_equal() -> None:
    """All three are named."""
    text = "5,000 requests sent, 5,000 at nginx, 5,000 at the replicas"
    judged(check_server_counts(RUN), "ok", text)


@pytest.mark.parametrize(
    ("door", "first", "verdict", "why"),
    [
        (5000, 2501, "marked", "1 more; asked past nginx"),
        (5000, 2499, "marked", "the replicas have 1 fewer"),
        (5001, 2501, "marked", "1 more than were sent; somebody else"),
        (4990, 2490, "marked", "nginx has 10 fewer"),
        (5500, 3000, "refused", "500 more than were sent"),
        (5000, 2400, "refused", "one was started anew"),
    ],
)
def test_different(door: int, first: int, verdict: Verdict, why: str) -> None:
    """One request more or less is said, beyond a hundredth the run is refused."""
    counts = {"replica-1": first, "replica-2": 2500}
    run = server(RUN, requests_at_the_door=door, requests_by_replica=counts)
    judged(check_server_counts(run), verdict, why)


def test_edge_replies_reach_no_replica() -> None:
    """What nginx answered by itself is in its count alone."""
    run = replace(RUN, by_cache={"edge": 1000, "bypass": 4000})
    judged(check_server_counts(run), "refused", "1,000 more; asked past nginx")
    counts = {"replica-1": 2000, "replica-2": 2000}
    judged(check_server_counts(server(run, requests_by_replica=counts)), "ok", "1,000 by the edge")


@pytest.mark.parametrize("came", [0, 3, 7])
def test_what_was_lost_may_have_come(came: int) -> None:
    """Nobody knows how far a lost request came; either is fine."""
    run = replace(RUN, ok=4993, lost=4, failed=3)
    counts = {"replica-1": 2493 + came, "replica-2": 2500}
    run = server(run, requests_at_the_door=4993 + came, requests_by_replica=counts)
    judged(check_server_counts(run), "ok")


@pytest.mark.parametrize(("purpose", "verdict"), [("peak", "marked"), ("search", "ok")])
def test_nobody_to_ask(purpose: Purpose, verdict: Verdict) -> None:
    """A figure without this check is marked, a run on the way to one isn't."""
    run = server(replace(RUN, purpose=purpose), requests_at_the_door=None, requests_by_replica=None)
    judged(check_server_counts(run), verdict, "unknown")


def test_one_of_two_is_known() -> None:
    """Without the door the replicas' counts are compared all the same, and the other way round."""
    judged(check_server_counts(server(RUN, requests_at_the_door=None)), "ok", "5,000 at the replicas")
    run = server(RUN, requests_by_replica=None, requests_at_the_door=4000)
    judged(check_server_counts(run), "refused", "nginx has 1,000 fewer")
