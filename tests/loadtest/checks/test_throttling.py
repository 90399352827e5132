"""Throttling: meant for replicas with a quota, and for nobody else."""

from msgspec.structs import replace

from loadtest.checks.throttling import check_throttling
from tests.loadtest.checks.judged import SETTINGS, judged, part, server
from tests.loadtest.studies import make_run

RUN = make_run(500, replicas=2)
WITHOUT = replace(SETTINGS, cpus=None)


def test_a_quota_that_is_used_up() -> None:
    """That is what a peak with a quota is, and it is said with figures."""
    judged(check_throttling(RUN, SETTINGS), "ok", "quota of 0.2 CPUs in 80 % of its periods", "quota's")


def test_a_quota_that_is_not_used_up() -> None:
    """Then the figure isn't the quota's."""
    run = part(part(RUN, "replica-1", throttled_periods=0), "replica-2", throttled_periods=0)
    finding = check_throttling(run, SETTINGS)
    judged(finding, "ok", "in 0 % of its periods")
    assert "figure" not in finding.text


def test_another_quota_than_was_asked_for() -> None:
    """A replica with more or no quota makes the study's title wrong."""
    run = part(RUN, "replica-2", quota_cpus=0.5)
    judged(check_throttling(run, SETTINGS), "refused", "replica-2 had a quota of 0.5 CPUs", "0.2 was")
    run = part(RUN, "replica-1", quota_cpus=None)
    judged(check_throttling(run, SETTINGS), "refused", "replica-1 had no quota")


def test_nginx_held_back() -> None:
    """A part beside the replicas that is throttled is a bottleneck nobody meant."""
    run = part(RUN, "nginx", quota_cpus=0.5, periods=100, throttled_periods=30)
    judged(check_throttling(run, SETTINGS), "marked", "nginx had used up its quota in 30 %")


def test_replicas_held_back_that_should_not_be() -> None:
    """Without a quota in the settings nobody is to be throttled; a period in a hundred is no matter."""
    free = make_run(500, replicas=2, cpus=None)
    judged(check_throttling(free, WITHOUT), "ok", "nobody was held back")
    held = part(free, "replica-1", quota_cpus=2.0, throttled_periods=10)
    judged(check_throttling(held, WITHOUT), "marked", "replica-1 had used up its quota in 10 %")
    judged(check_throttling(part(held, "replica-1", throttled_periods=1), WITHOUT), "ok")


def test_unseen() -> None:
    """Where no cgroup can be read it says so."""
    judged(check_throttling(server(RUN, parts=None), SETTINGS), "ok", "unknown")
