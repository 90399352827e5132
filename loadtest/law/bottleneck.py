"""What ended the growth at a step: what its parts used comes in, the one that had no more goes out.

By measured use alone, of the runs that measure the peak. Law, plan and report call it.
"""

from collections.abc import Callable
from statistics import median
from typing import Literal, NamedTuple

from deploy.top.cells import percent
from loadtest.study.figures import runs_for
from loadtest.study.study import Part, Run, Step, Study

Name = Literal["replicas", "nginx", "redis", "generator", "host", "none", "unknown"]
# Of what a part may use: nothing gets the last percents of a quota, which is dealt out in periods.
USED_UP = 0.9
# Of all cores. The last one is never quite full: a core that waits for another one's lock is idle.
HOST_USED_UP = 0.95
# Of the periods of a quota. A replica that had used it up before most of them ended got no more.
MOST_PERIODS = 0.5
# A replica is one process of Python, which computes on one core at a time; so is Redis.
ONE_CORE = 1.0


class Bottleneck(NamedTuple):
    """The part, its use as a share of what it may use (None: unknown), a sentence, and all shares."""

    part: Name
    share: float | None
    text: str
    shares: dict[str, float]


def bottlenecks(study: Study) -> dict[int, Bottleneck]:
    """Return what ended each step, by its number of replicas; not of steps without a peak."""
    return {step.replicas: bottleneck(step) for step in study.steps if runs_for(step, "peak")}


def bottleneck(of: Step | Study) -> Bottleneck:
    """Return what ended a step, or the step of a study with the most replicas.

    The replicas come first, since a quota that is used up would be so on a larger host as well; then
    what there is once; then what a larger machine would have more of. "none" where everything was
    measured and nothing was used up: then something was waited for. "unknown" where something wasn't.
    """
    if isinstance(of, Study):
        found = bottlenecks(of)
        return found[max(found)] if found else _unknown({}, "no peak was measured")
    runs = runs_for(of, "peak")
    if not runs:
        return _unknown({}, "no peak was measured")
    shares = {
        name: share for name, look in _LOOKS.items() if (share := _median(runs, look)) is not None
    }
    throttled = _median(runs, _throttled) or 0.0
    if "replicas" in shares and (shares["replicas"] >= USED_UP or throttled >= MOST_PERIODS):
        return _of_replicas(shares, throttled)
    for name, text in _TEXTS.items():
        if shares.get(name, 0.0) >= (HOST_USED_UP if name == "host" else USED_UP):
            return Bottleneck(name, shares[name], text.format(percent(shares[name])), shares)
    if missing := [name for name in _LOOKS if name not in shares]:
        return _unknown(shares, f"nothing was used up that was measured, but not {_and(missing)}")
    part = max(shares, key=lambda name: shares[name])
    return Bottleneck(
        "none",
        shares[part],
        f"nothing was used up (most of all {part}, {percent(shares[part])}): replies are waited for",
        shares,
    )


def _of_replicas(shares: dict[str, float], throttled: float) -> Bottleneck:
    share = shares["replicas"]
    text = f"the replicas used {percent(share)} of the CPU that they may use"
    if throttled:
        text += f", and were throttled in {percent(throttled)} of the periods"
    return Bottleneck("replicas", share, text, shares)


def _unknown(shares: dict[str, float], text: str) -> Bottleneck:
    return Bottleneck("unknown", None, text, shares)


def _median(runs: list[Run], look: Callable[[Run], float | None]) -> float | None:
    seen = [share for run in runs if run.seconds and (share := look(run)) is not None]
    return median(seen) if seen else None


def replica_parts(run: Run) -> list[Part]:
    """Return what each replica used during a run."""
    parts = run.server.parts or {}
    return [part for name, part in parts.items() if name not in ("nginx", "redis")]


def _replicas(run: Run) -> float | None:
    parts = replica_parts(run)
    may = sum(min(part.quota_cpus or ONE_CORE, ONE_CORE) for part in parts)
    return sum(part.cpu_seconds for part in parts) / run.seconds / may if parts else None


def _throttled(run: Run) -> float | None:
    parts = replica_parts(run)
    periods = sum(part.periods for part in parts)
    return sum(part.throttled_periods for part in parts) / periods if periods else None


def _nginx(run: Run) -> float | None:
    """Return its share of its quota or else of all cores: it has a worker process for each."""
    part = (run.server.parts or {}).get("nginx")
    may = part and (part.quota_cpus or (run.server.host and float(run.server.host.cores)))
    return part.cpu_seconds / run.seconds / may if part and may else None


def _redis(run: Run) -> float | None:
    part = (run.server.parts or {}).get("redis")
    if not part:
        return None
    return part.cpu_seconds / run.seconds / min(part.quota_cpus or ONE_CORE, ONE_CORE)


def _generator(run: Run) -> float | None:
    return run.generator.busiest_share


def _host(run: Run) -> float | None:
    return run.server.host.busy_share if run.server.host else None


_LOOKS: dict[str, Callable[[Run], float | None]] = {
    "replicas": _replicas,
    "nginx": _nginx,
    "redis": _redis,
    "generator": _generator,
    "host": _host,
}
_TEXTS: dict[Name, str] = {
    "nginx": "nginx used {} of the CPU that it may use",
    "redis": "Redis used {} of the core that it may use",
    "generator": "the load generator's busiest process used {} of a core, so the peak is its own",
    "host": "the host's cores were {} busy before the replicas' own CPU was used up",
}


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[:-1] else names)
