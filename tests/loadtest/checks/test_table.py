"""Anybody's table: what so many users can ask for, by function and by command."""

import pytest
from click.testing import CliRunner

from loadtest.checks import check_table
from loadtest.checks.__main__ import main
from loadtest.study.study import Verdict
from tests.loadtest.checks.judged import judged


def test_a_table_that_violates_littles_law() -> None:
    """4,280 requests a second from 100 users who wait 1 to 2 s: 67 is the most."""
    judged(
        check_table(100, 1.5, 0.0, 4280), "refused", "4,280 requests", "impossible, 66.7 is the most"
    )


@pytest.mark.parametrize(
    ("users", "wait", "latency", "rate", "verdict"),
    [
        (100, 1.5, 0.0, 60.0, "ok"),  # as slow as that may be
        (100, 1.5, 0.0, 66.7, "ok"),
        (100, 1.5, 0.5, 50.0, "ok"),
        (100, 1.5, 0.5, 60.0, "refused"),
        (100, 1.5, 0.1, 40.0, "marked"),
        (32, 0.0, 0.004, 8000.0, "ok"),
        (0, 1.0, 0.0, 1.0, "refused"),
    ],
)
def test_tables(users: float, wait: float, latency: float, rate: float, verdict: Verdict) -> None:
    """More is impossible; less means that something else was waited for, if the latency is known."""
    judged(check_table(users, wait, latency, rate), verdict)


@pytest.mark.parametrize("given", [(100, 0.0, 0.0, 1.0), (-1, 1.0, 0.0, 1.0)])
def test_what_no_rate_follows_from(given: tuple[float, float, float, float]) -> None:
    """Users who never wait can ask for anything."""
    with pytest.raises(ValueError, match="wait or latency"):
        check_table(*given)


def test_the_command() -> None:
    """It prints the sentence, and its exit code is 1 where the table can't be."""
    words = ["--users", "100", "--wait", "1.5", "--rate"]
    good, bad = (CliRunner().invoke(main, [*words, rate]) for rate in ("60", "4280"))
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "possible" in good.output
    assert "66.7 is the most" in bad.output
    never = CliRunner().invoke(main, ["--users", "1", "--wait", "0", "--rate", "5"])
    assert never.exit_code == 2
