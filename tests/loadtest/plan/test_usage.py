"""What a request and a replica take: by hand from what parts used, None where they weren't read."""

import pytest

from loadtest.plan.usage import read_usage
from loadtest.study.study import Finding, Part, Server
from tests.loadtest.studies import make_study


def test_by_hand() -> None:
    """At 0.2 CPU for 500 and 350 requests/s nginx takes the median of 400 and 571 µs a request."""
    used = read_usage(make_study((1,), noise=0), (1,))
    assert used.replica_cpus == 0.2
    assert used.replica_bytes == 110_000_000
    assert used.nginx_seconds == used.redis_seconds == pytest.approx((0.2 / 500 + 0.2 / 350) / 2)
    assert used.beside_bytes == 40_000_000
    assert used.nginx_quota is None
    assert used.cores == 8


def test_without_a_quota() -> None:
    """Replicas without one need what they used at the peak: here 0.97 of a core."""
    assert read_usage(make_study((1, 2), cpus=None), (1, 2)).replica_cpus == pytest.approx(0.97)


def test_only_measured_steps() -> None:
    """Steps that the law leaves out don't count, nor do refused runs."""
    study = make_study((1, 2), noise=0)
    both, one = read_usage(study, (1, 2)), read_usage(study, (1,))
    assert both.nginx_seconds != one.nginx_seconds
    for run in study.steps[1].runs:
        run.findings = [Finding("little", "refused", "impossible")]
    assert read_usage(study, (1, 2)) == one


def test_limits_of_nginx() -> None:
    """Its quota is what was read; memory is the most that was seen."""
    study = make_study((1,))
    peak = study.steps[0].runs[1]
    assert peak.server.parts
    nginx = Part(cpu_seconds=2, memory_bytes=50_000_000, quota_cpus=1.5)
    peak.server = Server(parts={**peak.server.parts, "nginx": nginx})
    used = read_usage(study, (1,))
    assert used.nginx_quota == 1.5
    assert used.beside_bytes == 70_000_000


def test_unknown() -> None:
    """Where nothing was read nothing is made up; the quota was asked for, so it is known."""
    study = make_study((1,))
    for run in study.steps[0].runs:
        run.server = Server()
    used = read_usage(study, (1,))
    assert (used.replica_bytes, used.nginx_seconds, used.redis_seconds) == (None, None, None)
    assert (used.beside_bytes, used.cores, used.replica_cpus) == (0, None, 0.2)
