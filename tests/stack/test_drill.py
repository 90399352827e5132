"""The drill: a minute in the life of a model under load, with everything that operators may do to it.

Unique and repeated rows over connections that are kept alive and never retried; every reply is checked
against the version that it names, so that a wrong answer from any cache shows.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.supervisor import wait_until
from loadtest.client import Load
from tests.stack.ask import ask
from tests.stack.lines import check_line, line_payload, line_payloads, publish_line
from tests.stack.stack import Stack
from tests.stack.traffic import assert_nothing_lost

SECONDS = 60.0
RATE = 250.0
CLIENTS = 5000


class Drill:
    """A load, and commands that are given while it runs: the times when each began and had returned."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack = stack
        self.url = f"{stack.url}/v1/models/{name}:predict"
        self.load = Load(self.url, 16, RATE, line_payloads(2000, 20), check_line)
        self.times: dict[str, tuple[float, float]] = {}

    async def give(self, command: str, *words: str) -> None:
        """Give a command, and let the load go on for a while."""
        began = self.load.elapsed
        await asyncio.to_thread(self.stack.flotilla, command, *words)
        self.times[command] = (began, self.load.elapsed)
        await asyncio.sleep(SECONDS / 6)

    def answered_between(self, command: str, next_command: str) -> dict[str, int]:
        """Return which versions answered what was sent from one command's return to the next."""
        since, until = self.times[command][1], self.times[next_command][0]
        return dict(self.load.result.answered_by(since, until))


def versions_of(url: str, clients: Sequence[str]) -> dict[str, int]:
    """Let clients ask, one after the other, and return how many got which version."""
    requests = [line_payload(1.0, 2.0, X_Client_ID=client) for client in clients]
    load = Load(url, 8, 1000.0, requests, check_line)
    result = asyncio.run(load.run(len(clients) / 1000.0))
    assert_nothing_lost(result)
    return dict(result.answered_by(0, float("inf")))


def shadow_rows(stack: Stack, name: str) -> dict[str, float]:
    """Return what Prometheus knows of a model's shadowed rows, by result."""
    query = f'/api/v1/query?query=sum by (result) (flotilla_shadow_rows_total{{model="{name}"}})'
    found = ask(stack.prometheus_url, "GET", query.replace(" ", "%20")).json["data"]["result"]
    return {each["metric"]["result"]: float(each["value"][1]) for each in found}


def test_drill(stack: Stack, tmp_path: Path) -> None:
    """Activate, canary, shadow, rollback: nothing lost or mixed up, and each holds when it returns."""
    name = "drill"
    for slope in (1, 2, 3, 4):
        publish_line(stack, tmp_path, name, slope)
    drill = Drill(stack, name)
    shares: dict[str, int] = {}
    one: list[dict[str, int]] = []

    def seen(condition: Callable[[], bool]) -> None:
        assert wait_until(condition, 30)

    async def operate() -> None:
        async with drill.load:
            await asyncio.sleep(SECONDS / 6)
            await drill.give("activate", name, "2")
            await drill.give("split", name, "2=90", "3=10")
            everybody = [f"somebody-{number}" for number in range(CLIENTS)]
            shares.update(await asyncio.to_thread(versions_of, drill.url, everybody))
            for client in range(5):
                again = [f"client-{client}"] * 300
                one.append(await asyncio.to_thread(versions_of, drill.url, again))
            await drill.give("shadow", name, "4")
            await asyncio.to_thread(seen, lambda: shadow_rows(stack, name).get("disagree", 0) > 100)
            await drill.give("rollback", name)
            drill.times["end"] = (drill.load.elapsed, drill.load.elapsed)

    asyncio.run(operate())
    result = drill.load.result
    assert_nothing_lost(result)
    assert result.by_cache.keys() >= {"edge", "redis", "miss"}, "every cache has been in the way"
    assert drill.answered_between("activate", "split").keys() == {"2"}
    assert drill.answered_between("split", "shadow").keys() == {"2", "3"}
    assert [len(versions) for versions in one] == [1] * 5, "a client stays on its version"
    assert drill.answered_between("rollback", "end").keys() == {"2"}
    assert abs(shares["3"] / CLIENTS - 0.10) < 0.02, shares
    assert shares.keys() == {"2", "3"}
    # Version 4 answers twice what 2 does: it never agrees, and no client ever got its answer.
    assert shadow_rows(stack, name).get("agree", 0) == 0
    assert "4" not in result.answered_by(0, float("inf"))
