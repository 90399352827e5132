"""What a study consists of: settings, hardware, a step for each number of replicas, runs in each.

Written by `loadtest.sweep` after each run; read by checks, scaling law, plan and report.
All times are Unix seconds, all durations seconds, all rates requests a second.
"""

from typing import Literal

from msgspec import Struct, field

SCHEMA = 1

# What a run is for: finding how many connections saturate the replicas, measuring the peak with these,
# looking for the highest rate of arrivals within the objective, measuring with that one.
Purpose = Literal["saturation", "peak", "search", "objective"]
# Closed: a connection sends when its last request is answered, so a slow server is asked less.
# Open: requests arrive by a schedule, and latencies count from it.
Loop = Literal["closed", "open"]
# `refused`: the figure is shown, but nothing is concluded from it.
Verdict = Literal["ok", "marked", "refused"]


class Settings(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    stack: Literal["docker", "local"]
    model: str
    version: int
    replicas: tuple[int, ...]
    cpus: float | None = None  # of each replica, as a quota; None: as many as it finds
    rows: int = 1  # of each request
    shape: Literal["unique", "repeats"] = "unique"
    objective_seconds: float = 0.05
    objective_share: float = 0.99  # of requests that are to be answered within objective_seconds
    warmup_seconds: float = 3.0
    run_seconds: float = 10.0
    repetitions: int = 3
    processes: int = 1  # of the generator
    connections: int | None = None  # for each replica; None: as many as saturate it


class Event(Struct, frozen=True):
    """Something that happened during a step: scaled, ready, a run began."""

    at: float
    text: str


class Second(Struct, frozen=True):
    """Replies that came during one second of a run; `latency` is an encoded histogram."""

    ok: int
    failed: int
    latency: str


class GeneratorUse(Struct, frozen=True, kw_only=True):
    """What the generator had to do with the figure, all its processes together.

    `lag`: how long after it was due a request was sent, though a connection was free.
    """

    processes: int
    cpu_seconds: float
    busiest_share: float  # of one core, of the process that used most
    core_wait_share: float = 0.0  # of the time, in which a process had work and no core; the longest
    lag_p99_seconds: float = 0.0
    lag_longest_seconds: float = 0.0


class Part(Struct, frozen=True, kw_only=True):
    """What a replica, nginx or Redis used during a run."""

    cpu_seconds: float
    memory_bytes: int
    quota_cpus: float | None = None
    periods: int = 0  # of its quota, in which it ran
    throttled_periods: int = 0  # in which it had used it up
    throttled_seconds: float = 0.0


class Host(Struct, frozen=True, kw_only=True):
    """What the whole machine did during a run: shares of all its cores, from 0 to 1."""

    cores: int
    busy_share: float
    steal_share: float  # taken by the hypervisor for others


class Server(Struct, frozen=True, kw_only=True):
    """What the stack itself says of a run. `None`: it could not be asked."""

    # By X-Replica, from Prometheus: every replica that runs is in it, also with 0.
    requests_by_replica: dict[str, int] | None = None
    requests_at_the_door: int | None = None  # nginx's own count, from Prometheus
    # "nginx", "redis", and each replica by its name.
    parts: dict[str, Part] | None = None
    host: Host | None = None


class Finding(Struct, frozen=True):
    """What a check makes of a run: its name, the verdict, one sentence with the figures."""

    check: str
    verdict: Verdict
    text: str


class Run(Struct, kw_only=True):
    """One load of some seconds, and everything that was seen of it.

    Of `sent` requests each is in `ok`, `failed` (a whole reply, but not the right one) or `lost` (no
    whole reply). `unsent` were due, but no connection was free until the end.
    """

    purpose: Purpose
    loop: Loop
    repetition: int  # from 1
    started: float
    seconds: float
    connections: int
    rate: float | None = None  # asked for, of an open loop
    sent: int
    ok: int
    failed: int = 0
    lost: int = 0
    unsent: int = 0
    failures: list[str] = field(default_factory=list)  # the first ones
    latency: str = ""  # encoded histogram of whole replies
    by_second: list[Second] = field(default_factory=list)
    by_replica: dict[str, int] = field(default_factory=dict)  # as X-Replica says
    by_version: dict[str, int] = field(default_factory=dict)
    by_cache: dict[str, int] = field(default_factory=dict)
    # The mean number of requests under way, counted at regular moments and not from latencies.
    in_flight: float = 0.0
    generator: GeneratorUse
    server: Server = Server()
    findings: list[Finding] = field(default_factory=list)

    @property
    def achieved(self) -> float:
        """Return right replies a second."""
        return self.ok / self.seconds if self.seconds else 0.0

    @property
    def verdict(self) -> Verdict:
        """Return the worst of the findings."""
        verdicts = {each.verdict for each in self.findings}
        order: tuple[Verdict, ...] = ("refused", "marked")
        return next((each for each in order if each in verdicts), "ok")


class Step(Struct, kw_only=True):
    """Everything that was measured with one number of replicas."""

    replicas: int
    events: list[Event] = field(default_factory=list)
    ready_seconds: float | None = None  # from the command to the last replica's first request
    runs: list[Run] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)  # about its runs together
    complete: bool = False


class Study(Struct, kw_only=True):
    """A study. `hardware`: processor, cores, memory, system, commit, versions, by name."""

    name: str
    created: float
    settings: Settings
    hardware: dict[str, str]
    steps: list[Step] = field(default_factory=list)
    finished: float | None = None
    next_number: int = 0  # of those that make requests unique, the first that no run has used
    schema: int = SCHEMA
