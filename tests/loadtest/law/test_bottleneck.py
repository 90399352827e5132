"""The bottleneck: each part is found by its measured use alone, and what wasn't measured is named."""

import msgspec
import pytest

from loadtest.law.bottleneck import bottleneck, bottlenecks
from loadtest.study.study import Finding, GeneratorUse, Host, Part, Server, Step
from tests.loadtest.studies import make_run, make_step, make_study

SECONDS = 10


def step_with(
    *,
    replica: float = 0.5,
    quota: float | None = 1.0,
    throttled: int = 0,
    nginx: float = 0.2,
    nginx_quota: float | None = 1.0,
    redis: float = 0.1,
    generator: float = 0.3,
    host: float | None = 0.4,
    parts: bool = True,
) -> Step:
    """Return a step of two replicas with a peak; figures are CPUs used, or shares."""
    used = {
        name: Part(
            cpu_seconds=replica * SECONDS,
            memory_bytes=1,
            quota_cpus=quota,
            periods=100 if quota else 0,
            throttled_periods=throttled,
        )
        for name in ("replica-1", "replica-2")
    }
    used["nginx"] = Part(cpu_seconds=nginx * SECONDS, memory_bytes=1, quota_cpus=nginx_quota)
    used["redis"] = Part(cpu_seconds=redis * SECONDS, memory_bytes=1)
    run = make_run(500, replicas=2, seconds=SECONDS)
    run.generator = GeneratorUse(processes=1, cpu_seconds=1, busiest_share=generator)
    run.server = Server(
        parts=used if parts else None,
        host=None if host is None else Host(cores=4, busy_share=host, steal_share=0),
    )
    return Step(replicas=2, runs=[run])


@pytest.mark.parametrize(
    ("use", "part", "share"),
    [
        ({"replica": 0.95}, "replicas", 0.95),
        ({"replica": 0.19, "quota": 0.2}, "replicas", 0.95),
        ({"replica": 0.14, "quota": 0.2, "throttled": 60}, "replicas", 0.7),
        ({"replica": 0.97, "quota": None}, "replicas", 0.97),
        ({"replica": 1.1, "quota": 4.0}, "replicas", 1.1),
        ({"nginx": 0.93}, "nginx", 0.93),
        ({"nginx": 3.8, "nginx_quota": None}, "nginx", 0.95),
        ({"redis": 0.96}, "redis", 0.96),
        ({"generator": 0.99}, "generator", 0.99),
        ({"host": 0.97}, "host", 0.97),
        # A quota that is used up would be so on a larger host as well.
        ({"replica": 0.95, "host": 0.99, "generator": 0.99}, "replicas", 0.95),
        ({"replica": 0.14, "quota": 0.2, "throttled": 40}, "none", 0.7),
        ({"nginx": 0.93, "nginx_quota": None}, "none", 0.5),
        ({"host": 0.94}, "none", 0.94),
        ({}, "none", 0.5),
    ],
)
def test_by_use(use: dict[str, float], part: str, share: float) -> None:
    """What used up what it may use is the bottleneck; below its limit it is none."""
    found = bottleneck(step_with(**use))  # type: ignore[arg-type]  # a table of the step's arguments
    assert (found.part, found.share) == (part, pytest.approx(share))


def test_sentences() -> None:
    """The sentence has the figures."""
    assert bottleneck(step_with(replica=0.19, quota=0.2, throttled=80)).text == (
        "the replicas used 95 % of the CPU that they may use, and were throttled in 80 % of the periods"
    )
    assert bottleneck(step_with(host=0.97)).text == (
        "the host's cores were 97 % busy before the replicas' own CPU was used up"
    )
    assert bottleneck(step_with()).text == (
        "nothing was used up (most of all replicas, 50 %): replies are waited for"
    )


def test_unknown() -> None:
    """What wasn't measured may have been it, unless something else was used up."""
    found = bottleneck(step_with(parts=False))
    assert (found.part, found.share) == ("unknown", None)
    assert found.text == ("nothing was used up that was measured, but not replicas, nginx and redis")
    assert bottleneck(step_with(parts=False, host=0.98)).part == "host"
    assert bottleneck(step_with(parts=False, generator=0.98)).part == "generator"
    assert bottleneck(step_with(host=None)).text.endswith("but not host")


def test_no_peak() -> None:
    """A step without a peak, or with refused ones only, has none that is known."""
    step = step_with()
    step.runs[0].findings = [Finding("little", "refused", "impossible")]
    assert bottleneck(step).part == bottleneck(Step(replicas=1)).part == "unknown"


def test_only_peaks_count() -> None:
    """Other runs than those at the peak use less, and say nothing of it."""
    step = step_with(replica=0.95)
    idle = msgspec.structs.replace(step_with(replica=0.1).runs[0], purpose="objective")
    step.runs += [idle] * 5
    assert bottleneck(step).part == "replicas"


def test_study() -> None:
    """A study's is that of its step with the most replicas; without any it is unknown."""
    study = make_study((1, 2))
    study.steps = [step_with(replica=0.95), make_step(1, 500)]
    study.steps[0].replicas = 8
    assert bottleneck(study) == bottleneck(study.steps[0])
    assert sorted(bottlenecks(study)) == [1, 8]
    study.steps = []
    assert bottleneck(study).part == "unknown"
