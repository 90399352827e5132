"""A stack of known capacity: what a sweep must find is known beforehand, and it takes no time."""

import itertools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from loadtest.generator import Outcome, Plan
from loadtest.histogram import Histogram
from loadtest.payloads import Payloads, Template
from loadtest.study.study import Finding, GeneratorUse, Host, Part, Run, Settings, Step, Study
from loadtest.sweep.instruments import Instruments
from loadtest.sweep.stack import Say
from loadtest.sweep.sweep import Sweep
from tests.loadtest.fakes import Reply, answering

EACH = 1000.0  # requests a second that one replica answers
# A reply takes this where nobody waits; with arrivals at random p99 grows as in an M/M/1 queue.
SERVICE_SECONDS = 0.0052
SHARES = [(number + 0.5) / 400 for number in range(400)]

PAYLOADS = Payloads(
    model="m", version=1, path="/v1/models/m:predict", unique=True, rows=1,
    templates=[Template(b'{"instances": [[1.0@@@@@@@@@]]}', [1])],
)  # fmt: skip


class FakeStack:
    """Replicas that are names in a list. Everything that is asked of it is noted in `orders`.

    Within `answering` its replicas answer, in turn, at `address`.
    """

    kind: Literal["docker", "local"] = "docker"
    prometheus = "http://nobody"
    most_replicas = 100

    def __init__(self, replicas: int = 2) -> None:
        self.orders: list[str] = []
        self.cpus: float | None = None
        self.silent: set[str] = set()  # these never answer
        self.lost: set[str] = set()  # these have ended
        self.pids: dict[str, int] = {}
        self.on_scale: Callable[[int], None] = lambda replicas: None
        self.on_restore: Callable[[], None] = lambda: None
        self._before = self._count = replicas
        self.address = self.host = ""

    def replicas(self) -> list[str]:
        """Return r1, r2 and so on."""
        names = [f"r{number + 1}" for number in range(self._count)]
        return [name for name in names if name not in self.lost]

    def scale(self, replicas: int, say: Say) -> None:
        """Note it."""
        self.orders.append(f"scale {replicas}")
        self.on_scale(replicas)
        self._count = replicas

    def check_limit(self, cpus: float | None) -> None:
        """Take any."""

    def limit(self, cpus: float | None) -> None:
        """Note it."""
        self.orders.append(f"limit {cpus}")
        self.cpus = cpus

    def parts(self) -> dict[str, int]:
        """Return `pids`."""
        return dict(self.pids)

    def prometheus_replica(self, name: str) -> str:
        """Return another name."""
        return f"{name}:8000"

    def version_folder(self, model: str) -> Path:
        """Return none."""
        raise NotImplementedError

    def hardware(self) -> dict[str, str]:
        """Return nothing."""
        return {}

    def restore(self, say: Say) -> None:
        """Note it."""
        self.orders.append("restore")
        self.on_restore()
        self._count, self.cpus = self._before, None

    def close(self) -> None:
        """Do nothing."""

    @contextmanager
    def answering(self) -> Iterator["FakeStack"]:
        """Let its replicas answer."""
        turns = itertools.count()

        def answer(body: bytes) -> Reply:
            names = [name for name in self.replicas() if name not in self.silent]
            if not names:
                return 503, {}, b"nobody"
            return 200, {"X-Replica": names[next(turns) % len(names)]}, b"{}"

        with answering(answer) as (url, _):
            self.address = self.host = url.partition("://")[2].split("/")[0]
            yield self


class FakeGenerator:
    """Answers plans as a server of known capacity would; `plans` are those that it was given.

    `on_plan` is called before each, and may raise. Those that `slower` is true of take longer.
    `used` has the first number of each that it has answered, and the one after its last.
    """

    def __init__(self, stack: FakeStack) -> None:
        self._stack = stack
        self.plans: list[Plan] = []
        self.used: list[tuple[int, int]] = []
        self.on_plan: Callable[[Plan], None] = lambda plan: None
        self.slower: Callable[[Plan], bool] = lambda plan: False
        self.slower_seconds = 1.0

    def __call__(self, plan: Plan) -> Outcome:
        """Return what comes of a plan, at once."""
        self.plans.append(plan)
        self.on_plan(plan)
        capacity = EACH * len(self._stack.replicas())
        if plan.rate is None:
            rate = min(capacity, plan.connections / SERVICE_SECONDS / 8)
            latency = Histogram.of([plan.connections / rate] * 10)
        else:
            rate = min(plan.rate, capacity)
            left = 1 - rate / capacity
            mean = SERVICE_SECONDS / left if left > 0.001 else 10.0
            mean += self.slower_seconds if self.slower(plan) else 0.0
            latency = Histogram.of(-mean * math.log(1 - share) for share in SHARES)
        sent = round(rate * plan.seconds)
        self.used.append((plan.first_number, plan.first_number + sent))
        return Outcome(
            started=time.time(),
            seconds=plan.seconds,
            sent=sent,
            ok=sent,
            failed=0,
            lost=0,
            unsent=0,
            failures=[],
            latency=latency.encode(),
            by_second=[],
            generator=GeneratorUse(processes=1, cpu_seconds=0.1, busiest_share=0.1),
            numbers_used=sent,
        )


class FakeUsage:
    """Sees nothing but an idle host."""

    def __init__(self, parts: dict[str, int], by: str) -> None:
        """Take anything."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> tuple[dict[str, Part] | None, Host | None]:
        """Return the host."""
        return None, Host(cores=2, busy_share=0.5, steal_share=0.0)


class FakeCounts:
    """Counts that are all the same; `names` are remembered."""

    def __init__(self, url: str, names: dict[str, str], model: str) -> None:
        """Take the names."""
        self._names = names

    def begin(self) -> None:
        """Wait for nobody."""

    def end(self) -> tuple[dict[str, int] | None, int | None]:
        """Return a count for each replica."""
        return dict.fromkeys(self._names.values(), 7), 7 * len(self._names)


class FakeWatcher:
    """Notes what it is told, in `heard`."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        """Note it."""
        self.heard.append(text)

    def began(self, step: Step) -> None:
        """Note it."""
        self.heard.append(f"{step.replicas} began")

    def runs(self, step: Step, text: str) -> None:
        """Note it."""
        self.heard.append(text)

    def finished(self, step: Step, run: Run) -> None:
        """Note it."""
        self.heard.append(f"{step.replicas} {run.purpose} {run.repetition}")

    def ended(self, step: Step) -> None:
        """Note it."""
        self.heard.append(f"{step.replicas} ended")


def no_findings(of: Run | Step, settings: Settings) -> list[Finding]:
    """Find nothing."""
    return []


def fake_study(*replicas: int, **settings: object) -> Study:
    """Return a study of which nothing is measured yet."""
    given = {"cpus": 0.2, "run_seconds": 2.0, "repetitions": 2, **settings}
    wanted = Settings(stack="docker", model="m", version=1, replicas=replicas, **given)
    return Study(name="fake", created=time.time(), settings=wanted, hardware={})


def fake_sweep(stack: FakeStack, generator: FakeGenerator, study: Study, folder: Path) -> Sweep:
    """Return a sweep in which only the stack and the generator aren't real."""
    instruments = Instruments(generator, FakeUsage, FakeCounts, no_findings, no_findings)
    return Sweep(stack, study, folder, PAYLOADS, instruments, FakeWatcher(), cool=lambda seconds: None)
