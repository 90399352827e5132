"""Steal and busy cores, each with its limits."""

import pytest

from loadtest.checks.machine import check_cores, check_steal
from loadtest.study.study import Verdict
from tests.loadtest.checks.judged import host, judged, server
from tests.loadtest.studies import make_run

RUN = make_run(500)


@pytest.mark.parametrize(("share", "verdict"), [(0.01, "ok"), (0.05, "marked"), (0.2, "refused")])
def test_steal(share: float, verdict: Verdict) -> None:
    """Time that others got makes another machine of this one."""
    judged(check_steal(host(RUN, steal_share=share)), verdict, "of 8 cores for others")


@pytest.mark.parametrize(("share", "verdict"), [(0.9, "ok"), (0.97, "marked")])
def test_cores(share: float, verdict: Verdict) -> None:
    """A machine without time is the limit, and that is said."""
    finding = check_cores(host(RUN, busy_share=share))
    judged(finding, verdict, f"8 cores were {share * 100:.0f} % busy")
    assert ("the host is the limit" in finding.text) == (verdict == "marked")


def test_another_system() -> None:
    """Where /proc isn't there both are unknown."""
    run = server(RUN, host=None)
    judged(check_steal(run), "ok", "unknown")
    judged(check_cores(run), "ok", "unknown")
