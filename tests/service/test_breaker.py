"""The breaker: three failures in a row open it, a probe in the background closes it again."""

import asyncio
from itertools import pairwise

from service.breaker import FAILURES_TO_OPEN, Breaker
from tests.polling import run, until


class Probe:
    """Answers as it is told, and remembers when it was asked."""

    def __init__(self, healthy: bool = False) -> None:
        self.healthy = healthy
        self.asked_at: list[float] = []

    async def __call__(self) -> bool:
        """Answer."""
        self.asked_at.append(asyncio.get_running_loop().time())
        return self.healthy


def test_three_failures_in_a_row_open_it() -> None:
    """Two failures don't open the breaker, the third does."""

    async def scenario() -> None:
        breaker = Breaker(Probe())
        for _ in range(FAILURES_TO_OPEN - 1):
            breaker.failed()
            assert breaker.closed
        breaker.failed()
        assert not breaker.closed
        await breaker.close()

    run(scenario())


def test_a_success_in_between_counts() -> None:
    """Failures that aren't in a row don't open the breaker."""

    async def scenario() -> None:
        breaker = Breaker(Probe())
        for _ in range(10):
            for _ in range(FAILURES_TO_OPEN - 1):
                breaker.failed()
            breaker.succeeded()
        assert breaker.closed

    run(scenario())


def test_a_probe_closes_it() -> None:
    """The breaker stays open while probes fail, closes with the first that succeeds, and opens anew."""

    async def scenario() -> None:
        probe = Probe()
        breaker = Breaker(probe, probe_every_seconds=0.01)
        for _ in range(2):
            probe.healthy = False
            for _ in range(FAILURES_TO_OPEN):
                breaker.failed()
            before = len(probe.asked_at)
            await until(lambda before=before: len(probe.asked_at) >= before + 3)
            assert not breaker.closed
            probe.healthy = True
            await until(lambda: breaker.closed)
        breaker.failed()
        assert breaker.closed, "it begins to count anew"

    run(scenario())


def test_probes_come_one_at_a_time() -> None:
    """However many calls fail, there is one probe at a time, and not more often than said."""

    async def scenario() -> None:
        probe = Probe()
        breaker = Breaker(probe, probe_every_seconds=0.02)
        for _ in range(50):
            breaker.failed()
        await until(lambda: len(probe.asked_at) >= 3)
        assert all(later - earlier >= 0.019 for earlier, later in pairwise(probe.asked_at))
        await breaker.close()

    run(scenario())


def test_closed_it_never_probes() -> None:
    """While calls succeed nothing is probed, and ending it needs no waiting."""

    async def scenario() -> None:
        probe = Probe()
        breaker = Breaker(probe, probe_every_seconds=0)
        breaker.failed()
        breaker.succeeded()
        await asyncio.sleep(0)
        await breaker.close()
        assert probe.asked_at == []

    run(scenario())
