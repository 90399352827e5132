"""Balance: every replica has its share."""

from msgspec.structs import replace

from loadtest.checks.balance import check_answered, check_balance
from tests.loadtest.checks.judged import judged, server
from tests.loadtest.studies import make_run, make_step

RUN = make_run(500, replicas=4)


def test_even() -> None:
    """Equal shares, and one replica, are fine."""
    judged(check_balance(RUN), "ok", "4 replicas got 25 % of the requests each")
    judged(check_balance(make_run(500)), "ok", "one replica got all")


def test_a_replica_without_traffic() -> None:
    """One that got nothing is named, and the run refused: it measured fewer replicas."""
    counts = {"a": 2500, "b": 2500, "c": 0}
    run = server(RUN, requests_by_replica=counts)
    judged(check_balance(run), "refused", "1 of 3 replicas got no requests", ": c 0")
    few = server(RUN, requests_by_replica={"a": 2500, "b": 2500, "c": 100})
    judged(check_balance(few), "refused", "next to none: c 100")


def test_uneven() -> None:
    """A replica with a third less than its share marks the run and is named."""
    run = server(RUN, requests_by_replica={"a": 1000, "b": 1500, "c": 1500, "d": 1500})
    judged(check_balance(run), "marked", "18 % (a) to 27 % (b)", "25 % is even")


def test_uneven_by_chance() -> None:
    """Of few requests shares differ, of many they don't."""
    judged(check_balance(server(RUN, requests_by_replica={"a": 36, "b": 64})), "ok")
    judged(check_balance(server(RUN, requests_by_replica={"a": 3600, "b": 6400})), "marked")


def test_as_the_client_saw() -> None:
    """Without the replicas' own counts their names on replies are counted."""
    run = server(replace(RUN, by_replica={"a": 1000, "b": 4000, "": 3}), requests_by_replica=None)
    judged(check_balance(run), "marked", "20 % (a) to 80 % (b)")
    judged(check_balance(replace(run, by_replica={})), "ok", "unknown")


def test_replies_of_the_edge_alone() -> None:
    """Where nginx answered everything by itself no replica can have got its share."""
    run = server(RUN, requests_by_replica={"a": 0, "b": 0})
    judged(check_balance(run), "refused", "2 of 2 replicas got no requests")
    judged(check_balance(replace(run, by_cache={"edge": 5000})), "ok", "no replica was asked")


def test_fewer_answered_than_were_started() -> None:
    """A step in which a replica answered nothing is refused, though the others were even."""
    step = make_step(2, 900)
    judged(check_answered(step), "ok", "all of 2 replicas answered")
    step.runs[3].by_replica = {"replica-1": 100}
    judged(check_answered(step), "refused", "only 1 of 2")
    for run in step.runs:
        run.by_replica = {}
    judged(check_answered(step), "ok", "unknown")
