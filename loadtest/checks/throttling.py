"""Throttling: replicas that use up their quota are what a peak is about; anybody else is a bottleneck.

https://docs.kernel.org/scheduler/sched-bwc.html
"""

from deploy.top.cells import percent
from loadtest.study.study import Finding, Part, Run, Settings

CHECK = "throttling"
BESIDE = ("nginx", "redis")
# Of the periods: one that is used up now and then costs nobody a figure.
UNEXPECTED = 0.01
# Quotas are whole microseconds of a period: they equal what was asked for, but for rounding.
QUOTA_ROUNDING = 0.001


def check_throttling(run: Run, settings: Settings) -> Finding:
    """Refuse quotas other than those asked for; mark throttling where none is meant to be."""
    parts = run.server.parts
    if not parts:
        return Finding(
            CHECK, "ok", "whether a quota was used up is unknown: no cgroup can be read here"
        )
    replicas = {name: part for name, part in parts.items() if name not in BESIDE}
    if settings.cpus is not None:
        others = [name for name, part in replicas.items() if not _has(part, settings.cpus)]
        if others:
            quota = replicas[others[0]].quota_cpus
            has = "no quota" if quota is None else f"a quota of {quota:g} CPUs"
            text = f"{', '.join(sorted(others))} had {has} where {settings.cpus:g} was asked for"
            return Finding(CHECK, "refused", text)
    meant = set(replicas) if settings.cpus is not None else set()
    held = {name: share for name, part in parts.items() if (share := _share(part)) > UNEXPECTED}
    unexpected = {name: share for name, share in held.items() if name not in meant}
    if unexpected:
        return Finding(CHECK, "marked", f"{_listed(unexpected)}: nobody meant to hold these back")
    if settings.cpus is None:
        return Finding(CHECK, "ok", "no replica was to have a quota, and nobody was held back by one")
    shares = [_share(part) for part in replicas.values()]
    text = (
        f"replicas had used up their quota of {settings.cpus:g} CPUs in {_range(shares)} of its periods"
    )
    return Finding(CHECK, "ok", f"{text}: the figure is the quota's" if held else text)


def _has(part: Part, cpus: float) -> bool:
    return part.quota_cpus is not None and abs(part.quota_cpus - cpus) <= QUOTA_ROUNDING


def _share(part: Part) -> float:
    return part.throttled_periods / part.periods if part.periods else 0.0


def _range(shares: list[float]) -> str:
    low, high = percent(min(shares, default=0.0)), percent(max(shares, default=0.0))
    return low if low == high else f"{low} to {high}"


def _listed(held: dict[str, float]) -> str:
    parts = (
        f"{name} had used up its quota in {percent(share)}" for name, share in sorted(held.items())
    )
    return f"{', '.join(parts)} of its periods"
