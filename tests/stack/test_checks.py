"""Checks of loads that the local stack really got: exact counts, and faults that are planted in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.slots import point_slots
from deploy.local.supervisor import wait_until
from loadtest.checks import check_run
from loadtest.generator import Plan, generate
from loadtest.payloads import make_payloads, write
from loadtest.study.study import Finding, Run, Server, Settings
from loadtest.usage import ServerCounts, Usage
from tests.loadtest.checks.judged import judged
from tests.loadtest.checks.measured import run_of
from tests.stack.ask import ask
from tests.stack.local import LocalStack

pytestmark = pytest.mark.needs("nginx", "redis-server", "prometheus")

MODEL = "digits-forest"
SETTINGS = Settings(stack="local", model=MODEL, version=1, replicas=(2,))
# More than nginx's two workers keep open to replicas together.
MANY_CONNECTIONS = 300
ROW = b'{"instances": [[0]]}'


class Bench:
    """Loads the stack with rows that no test had before, and reads everything that checks need."""

    number = 0

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.stack, self._payloads = stack, folder / "payloads"
        write(make_payloads(stack.registry / MODEL / "1"), self._payloads)

    def load(self, seconds: float, connections: int, rate: float | None = None) -> Run:
        """Send, and return what came of it, without what the stack says of itself."""
        address = self.stack.url.removeprefix("http://")
        plan = Plan(
            address=address,
            host=address,
            payloads=str(self._payloads),
            loop="open" if rate else "closed",
            rate=rate,
            connections=connections,
            seconds=seconds,
            first_number=Bench.number,
        )
        outcome = generate(plan)
        Bench.number += outcome.numbers_used
        return run_of(plan, outcome)

    def measure(self, meanwhile: Callable[[], object] = lambda: None) -> Run:
        """Return a run of 300 requests, and something that is done before it ends."""
        names = {name: name for name in self.stack.replicas()}
        parts = {
            name: process.pid
            for name, process in self.stack.processes().items()
            if name in names or name in ("nginx", "redis")
        }
        counts, usage = ServerCounts(self.stack.prometheus_url, names, MODEL), Usage(parts, "process")
        counts.begin()
        usage.start()
        run = self.load(3.0, 32, rate=100.0)
        meanwhile()
        used, host = usage.stop()
        by_replica, at_the_door = counts.end()
        assert counts.unknown == ""
        run.server = Server(
            requests_by_replica=by_replica, requests_at_the_door=at_the_door, parts=used, host=host
        )
        run.findings = check_run(run, SETTINGS)
        return run


@pytest.fixture
def bench(local_stack: LocalStack, tmp_path: Path) -> Bench:
    """Return a bench for the stack of all tests."""
    return Bench(local_stack, tmp_path)


def finding(run: Run, check: str) -> Finding:
    """Return what a check found."""
    (found,) = (each for each in run.findings if each.check == check)
    return found


def test_counts_are_equal_to_the_request(bench: Bench) -> None:
    """Client, nginx and replicas agree on 300 requests; each part has used some time and memory."""
    run = bench.measure()
    assert run.ok == run.sent == run.server.requests_at_the_door == 300
    assert run.server.requests_by_replica == run.by_replica
    assert sum(run.by_replica.values()) == 300
    for check in ("replies", "little", "server counts", "balance", "throttling", "cache"):
        judged(finding(run, check), "ok")
    assert run.server.parts is not None
    assert run.server.parts.keys() == {"nginx", "redis", *bench.stack.replicas()}
    for name, part in run.server.parts.items():
        assert part.memory_bytes > 1e6, name
        assert name == "redis" or 0 < part.cpu_seconds < 60, name


def test_a_replica_that_gets_no_traffic(bench: Bench) -> None:
    """Nginx leads to one of two replicas that both run: the run is refused, and names the other."""
    stack = bench.stack
    served, idle = sorted(stack.replicas())
    with stack.stopped("slots"):  # the keeper would see to it that both are asked
        assert point_slots(stack.home / "run", [f"{served}.sock"]) > 0

        def only_one() -> bool:
            """Tell whether nginx has let go of all connections to the other one that it kept."""
            return idle not in bench.load(0.5, MANY_CONNECTIONS).by_replica

        assert wait_until(only_one, 15)
        run = bench.measure()
    assert run.server.requests_by_replica is not None
    assert run.server.requests_by_replica.keys() == {served, idle}
    judged(finding(run, "balance"), "refused", "1 of 2 replicas got no requests", f": {idle} ")
    judged(finding(run, "server counts"), "ok")
    assert run.verdict == "refused"
    assert wait_until(lambda: idle in bench.load(0.5, MANY_CONNECTIONS).by_replica, 15), "as before"


def test_a_request_past_nginx(bench: Bench) -> None:
    """A replica that is asked directly has one more than nginx and the client."""
    path, stack = f"/v1/models/{MODEL}:predict", bench.stack
    run = bench.measure(lambda: stack.ask_directly(min(stack.replicas()), path, ROW))
    judged(finding(run, "server counts"), "marked", "300 at nginx, 301 at the replicas", "past nginx")


def test_somebody_else_uses_the_stack(bench: Bench) -> None:
    """Requests of another client in the same window are counted by nginx, and refuse the run."""
    path, url = f"/v1/models/{MODEL}:predict", bench.stack.url

    def ask_ten_times() -> None:
        for _ in range(10):
            assert ask(url, "POST", path, ROW).status == 400

    run = bench.measure(ask_ten_times)
    judged(finding(run, "server counts"), "refused", "310 at nginx", "somebody else uses the stack")
