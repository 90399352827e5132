"""Plan: a rate and a p99 come in, how many replicas, CPUs and bytes a study says it takes goes out.

Replicas keep a latency up to a share of their peak, which the steps of a study show; what their peak is
at numbers that weren't measured, the scaling law says. `flotilla plan` calls it.
"""

from math import isfinite

import numpy as np
from msgspec import Struct

from deploy.errors import Refused
from loadtest.law.fit import fit
from loadtest.law.law import Estimate, Law
from loadtest.law.region import Floats
from loadtest.plan.kept import Kept, fastest, kept_rates
from loadtest.plan.usage import Usage, read_usage
from loadtest.study.study import Study

# More than this no study of a few replicas can speak of.
MOST_REPLICAS = 1000


class Need(Struct, frozen=True, kw_only=True):
    """What it takes. `replicas` None: no number is enough; the others None: it wasn't measured."""

    replicas: int | None
    cpus: float | None = None
    memory_bytes: int | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """What a rate of requests within a p99 takes, at best, likeliest and at worst by the uncertainty.

    `spare` is the likeliest with one replica more, for when one fails or is being updated. `share`: of
    their peak that replicas give within the p99, `kept` where that was seen, `not_kept` where no rate
    was slow enough. `most`: requests a second within it that any number of replicas gives, likely with
    `most_replicas`, at worst with `worst_replicas`.
    """

    study: str
    rps: float
    p99_seconds: float
    low: Need
    expected: Need
    high: Need
    spare: Need
    extrapolated: bool
    share: Estimate
    kept: list[Kept]
    not_kept: list[int]
    most: Estimate
    most_replicas: int
    worst_replicas: int
    usage: Usage

    @property
    def reached(self) -> bool:
        """Return whether a number of replicas is enough, likely."""
        return self.expected.replicas is not None


def plan(study: Study, rps: float, p99_seconds: float, law: Law | None = None) -> Plan:
    """Return what `rps` requests a second take, 99 % of them answered within `p99_seconds`.

    Raises `Refused` where either is no positive number, where the study has no scaling law, and where
    no run was fast enough.
    """
    for name, value in (("rps", rps), ("p99", p99_seconds)):
        if not (isfinite(value) and value > 0):
            raise Refused(f"{name} {value:g}: expected a number above 0")
    law = law or fit(study)
    kept = kept_rates(study, p99_seconds, law.measured)
    if not kept:
        raise Refused(_too_slow(study, p99_seconds))
    shares = [each.share for each in kept]
    # At best the next rate was too fast only just.
    most_shares = [each.share if each.missed is None else each.missed for each in kept]
    share = Estimate(float(np.median(shares)), min(shares), max(most_shares))
    rates = [part * curve for part, curve in zip(share, law.curve(_COUNTS), strict=True)]
    usage = read_usage(study, law.measured)
    # By the law's lower end more replicas are needed.
    expected, high, low = (_need(_enough(each, rps), usage, rps) for each in rates)
    fewest, most = min(each.replicas for each in kept), max(each.replicas for each in kept)
    best, worst = (int(np.argmax(each)) + 1 for each in rates[:2])
    return Plan(
        study=study.name,
        rps=rps,
        p99_seconds=p99_seconds,
        low=low,
        expected=expected,
        high=high,
        spare=_need(expected.replicas and expected.replicas + 1, usage, rps),
        extrapolated=not fewest <= (expected.replicas or best) <= most,
        share=share,
        kept=kept,
        not_kept=[each for each in law.measured if each not in {one.replicas for one in kept}],
        most=Estimate(*(float(each.max()) for each in rates)),
        most_replicas=best,
        worst_replicas=worst,
        usage=usage,
    )


_COUNTS = np.arange(1, MOST_REPLICAS + 1)


def _enough(rates: Floats, rps: float) -> int | None:
    """Return the least number of replicas that gives `rps`, of rates by replicas from 1."""
    enough = np.flatnonzero(rates >= rps)
    return int(enough[0]) + 1 if len(enough) else None


def _need(replicas: int | None, usage: Usage, rps: float) -> Need:
    if replicas is None:
        return Need(replicas=None)
    beside = rps * ((usage.nginx_seconds or 0.0) + (usage.redis_seconds or 0.0))
    return Need(
        replicas=replicas,
        cpus=usage.replica_cpus and replicas * usage.replica_cpus + beside,
        memory_bytes=usage.replica_bytes and replicas * usage.replica_bytes + usage.beside_bytes,
    )


def _too_slow(study: Study, p99_seconds: float) -> str:
    least = fastest(study)
    asked = f"p99 {p99_seconds * 1e3:g} ms: "  # :g, because 12.5 ms isn't 12
    if least is None or not isfinite(least):
        return f"{asked}study {study.name} has no open-loop run with 99 % right replies, so no p99"
    return (
        f"{asked}no run of study {study.name} that counts was that fast; its fastest had "
        f"{least * 1e3:.3g} ms. Measure with it: flotilla sweep --objective-ms {p99_seconds * 1e3:g}"
    )
