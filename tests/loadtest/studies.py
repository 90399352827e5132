"""Studies that nobody measured: known figures come in, a study with exactly these goes out."""

import itertools
import random

from loadtest.histogram import Histogram
from loadtest.study.study import (
    Event,
    GeneratorUse,
    Host,
    Loop,
    Part,
    Purpose,
    Run,
    Second,
    Server,
    Settings,
    Step,
    Study,
)

STARTED = 1_790_000_000.0


def usl(replicas: int, alone: float, sigma: float, kappa: float) -> float:
    """Return the throughput of so many replicas by the Universal Scalability Law."""
    return alone * replicas / (1 + sigma * (replicas - 1) + kappa * replicas * (replicas - 1))


def make_run(
    achieved: float,
    *,
    replicas: int = 1,
    purpose: Purpose = "peak",
    loop: Loop = "closed",
    repetition: int = 1,
    latency_seconds: float = 0.005,
    seconds: int = 10,
    cpus: float | None = 0.2,
    started: float = STARTED,
) -> Run:
    """Return a run in which everything is as it should be; `achieved` right replies a second."""
    sent = round(achieved * seconds)
    random_ = random.Random(repetition)
    latencies = Histogram.of(
        latency_seconds * (0.8 + 0.4 * random_.random()) for _ in range(min(sent, 2000))
    )
    second = Histogram.of([latency_seconds] * 10).encode()
    share = {f"replica-{number + 1}": sent // replicas for number in range(replicas)}
    share["replica-1"] += sent - sum(share.values())
    used = Part(
        cpu_seconds=0.97 * seconds * (cpus or 1.0),
        memory_bytes=110_000_000,
        quota_cpus=cpus,
        periods=10 * seconds,
        throttled_periods=8 * seconds if cpus else 0,
    )
    beside = Part(cpu_seconds=0.2 * seconds, memory_bytes=20_000_000)
    return Run(
        purpose=purpose,
        loop=loop,
        repetition=repetition,
        started=started,
        seconds=float(seconds),
        connections=max(1, round(achieved * latency_seconds)),
        rate=achieved if loop == "open" else None,
        sent=sent,
        ok=sent,
        latency=latencies.encode(),
        by_second=[Second(sent // seconds, 0, second) for _ in range(seconds)],
        by_replica=share,
        by_version={"1": sent},
        by_cache={"bypass": sent},
        in_flight=achieved * latency_seconds,
        generator=GeneratorUse(
            processes=1, cpu_seconds=0.3 * seconds, busiest_share=0.3, lag_p99_seconds=0.0002
        ),
        server=Server(
            requests_by_replica=share,
            requests_at_the_door=sent,
            parts={**dict.fromkeys(share, used), "nginx": beside, "redis": beside},
            host=Host(cores=8, busy_share=0.4, steal_share=0.0),
        ),
    )


def make_step(
    replicas: int,
    achieved: float,
    *,
    noise: float = 0.01,
    repetitions: int = 3,
    cpus: float | None = 0.2,
) -> Step:
    """Return a step with a peak at `achieved`, give or take `noise` of it, and 0.7 of that in time."""
    random_ = random.Random(replicas)
    clock = itertools.count(STARTED + 1000 * replicas, 12.0)
    runs = [
        make_run(
            achieved * share * (1 + noise * random_.uniform(-1, 1)),
            replicas=replicas,
            purpose=purpose,
            loop=loop,
            repetition=repetition,
            latency_seconds=latency,
            cpus=cpus,
            started=next(clock),
        )
        for purpose, loop, share, latency, count in (
            ("saturation", "closed", 0.9, 0.02, 1),
            ("peak", "closed", 1.0, 0.03, repetitions),
            ("search", "open", 0.5, 0.004, 1),
            ("search", "open", 0.9, 0.09, 1),
            ("objective", "open", 0.7, 0.008, repetitions),
        )
        for repetition in range(1, count + 1)
    ]
    events = [Event(runs[0].started - 5, f"scaled to {replicas}"), Event(runs[0].started - 2, "ready")]
    return Step(replicas=replicas, events=events, ready_seconds=3.0, runs=runs, complete=True)


def make_study(
    replicas: tuple[int, ...] = (1, 2, 4, 8),
    *,
    alone: float = 500.0,
    sigma: float = 0.02,
    kappa: float = 0.0005,
    noise: float = 0.01,
    cpus: float | None = 0.2,
    name: str = "made",
) -> Study:
    """Return a study whose peaks follow the Universal Scalability Law with these parameters."""
    steps = [
        make_step(count, usl(count, alone, sigma, kappa), noise=noise, cpus=cpus) for count in replicas
    ]
    return Study(
        name=name,
        created=STARTED,
        settings=Settings(
            stack="docker", model="digits-forest", version=1, replicas=replicas, cpus=cpus
        ),
        hardware={"cpu": "A processor", "cores": "8", "memory": "16 GB", "commit": "0000000"},
        steps=steps,
        finished=STARTED + 20_000,
    )
