"""The generator's own part in a figure: its processor, its lag, its rate."""

import pytest
from msgspec.structs import replace

from loadtest.checks.generator import check_generator
from loadtest.study.study import Verdict
from tests.loadtest.checks.judged import generator, judged
from tests.loadtest.studies import make_run


def test_one_that_has_time() -> None:
    """An idle generator that held its rate is said to have."""
    run = make_run(500, loop="open")
    judged(check_generator(run), "ok", "30 % of a core", "200 µs late", "held the rate within 0 %")
    judged(check_generator(make_run(500)), "ok", "30 % of a core")


@pytest.mark.parametrize(("share", "verdict"), [(0.74, "ok"), (0.8, "marked"), (0.97, "refused")])
def test_a_busy_process(share: float, verdict: Verdict) -> None:
    """A core that is used up is the limit, whatever the server could do."""
    run = generator(make_run(500), busiest_share=share)
    judged(check_generator(run), verdict, f"{share * 100:.0f} % of a core")


@pytest.mark.parametrize(("wait", "verdict"), [(0.2, "ok"), (0.4, "marked"), (0.65, "refused")])
def test_a_process_without_a_core(wait: float, verdict: Verdict) -> None:
    """One that has work and waits for a core is as busy as one that has it; others are to blame."""
    finding = check_generator(generator(make_run(500), core_wait_share=wait))
    judged(finding, verdict, "30 % of a core")
    blamed = f"waited {wait * 100:.0f} % of the time for one: others took the cores"
    assert (blamed in finding.text) == (verdict != "ok")


@pytest.mark.parametrize(
    ("lag", "verdict"), [(0.0002, "ok"), (0.0004, "ok"), (0.001, "marked"), (0.004, "refused")]
)
def test_late_sends(lag: float, verdict: Verdict) -> None:
    """A lag matters by the latency that is reported, 6 ms here."""
    judged(check_generator(generator(make_run(500), lag_p99_seconds=lag)), verdict)


def test_a_lag_below_notice() -> None:
    """A turn of the event loop is no lag, even beside the shortest latencies."""
    run = generator(make_run(500, latency_seconds=0.0002), lag_p99_seconds=0.00019)
    judged(check_generator(run), "ok")


def test_a_rate_that_was_not_held() -> None:
    """Less than was asked for, while connections were free, is the generator's fault."""
    run = make_run(5000, loop="open")
    short = replace(run, sent=47_000, ok=47_000)
    judged(check_generator(short), "refused", "5,000 requests a second were asked for, 4,700 were sent")
    judged(check_generator(replace(run, sent=49_700, ok=49_700)), "ok", "within 0.60 %")
    judged(check_generator(replace(run, sent=53_000, ok=53_000)), "refused")


def test_chance_of_arrivals() -> None:
    """Few arrivals at random differ from their mean by the root of their number."""
    run = replace(make_run(10, loop="open"), sent=85, ok=85)
    judged(check_generator(run), "ok")


def test_an_overloaded_server_is_not_its_fault() -> None:
    """What waited while all connections were busy is the server's; while some were free, its own."""
    run = replace(make_run(5000, loop="open"), sent=30_000, ok=30_000, unsent=20_000, connections=50)
    judged(check_generator(replace(run, in_flight=49.0)), "ok")
    judged(check_generator(replace(run, in_flight=10.0)), "refused", "3,000 were sent")


def test_all_its_faults_are_named() -> None:
    """Two reasons to refuse are two reasons."""
    run = generator(make_run(500), busiest_share=0.99, lag_p99_seconds=0.1)
    judged(check_generator(run), "refused", "99 % of a core", "100 ms late")
