"""Fit the scaling law: a study comes in, its law goes out; plan and report call it."""

from collections.abc import Collection, Sequence

import numpy as np

from deploy.errors import Refused
from loadtest.law.bottleneck import Bottleneck, bottlenecks
from loadtest.law.law import Law, Residual
from loadtest.law.region import PARAMETERS, basis, find_region
from loadtest.study.figures import doubted, runs_for
from loadtest.study.study import Study

# What ends these steps isn't the replicas' doing, and would bend their law.
FOREIGN = ("host", "generator")


def fit(study: Study) -> Law:
    """Fit the law to the peaks of a study, each repetition by itself, but not to what checks refuse.

    Steps that the host or the generator ended are left out, if three others remain; else all are in it,
    and `bent` says which. Raises `Refused` where fewer than three numbers of replicas were measured.
    """
    rates = [
        (step.replicas, run.achieved)
        for step in study.steps
        if "peak" not in doubted(step)
        for run in runs_for(step, "peak")
        if run.ok
    ]
    refused = {step.replicas for step in study.steps} - {replicas for replicas, _ in rates}
    foreign = {
        replicas: found
        for replicas, found in bottlenecks(study).items()
        if found.part in FOREIGN and replicas not in refused
    }
    own = [each for each in rates if each[0] not in foreign]
    if _steps(own) >= PARAMETERS:
        return fit_rates(own, left_out=foreign, refused=refused)
    return fit_rates(rates, bent=foreign, refused=refused)


def fit_rates(
    rates: Sequence[tuple[int, float]],
    *,
    left_out: dict[int, Bottleneck] | None = None,
    bent: dict[int, Bottleneck] | None = None,
    refused: Collection[int] = (),
) -> Law:
    """Fit the law to (replicas, requests a second), at least four at three numbers of replicas."""
    if _steps(rates) < PARAMETERS:
        raise Refused(_too_few(rates))
    if len(rates) == PARAMETERS:
        raise Refused(
            "three runs fit any law, and say nothing of their noise; measure each number of replicas "
            "at least twice: flotilla sweep --repetitions 3"
        )
    replicas, measured = (np.array(each, dtype=np.float64) for each in zip(*rates, strict=True))
    unit = float(np.median(replicas / measured))
    region = find_region(replicas, replicas / measured / unit)
    law = replicas / (basis(replicas) @ region.best * unit)
    spread = float(np.sum((measured - measured.mean()) ** 2))
    return Law(
        region=region,
        unit=unit,
        r2=1 - float(np.sum((measured - law) ** 2)) / spread if spread else 1.0,
        residuals=tuple(
            Residual(count, rate, float(said)) for (count, rate), said in zip(rates, law, strict=True)
        ),
        left_out=left_out or {},
        bent=bent or {},
        refused=tuple(sorted(refused)),
    )


def _steps(rates: Sequence[tuple[int, float]]) -> int:
    return len({replicas for replicas, _ in rates})


def _too_few(rates: Sequence[tuple[int, float]]) -> str:
    there = sorted({replicas for replicas, _ in rates})
    found = f"only {', '.join(map(str, there))}" if there else "none"
    return (
        f"the scaling law needs peaks of at least {PARAMETERS} numbers of replicas, there are {found} "
        "that the checks don't refuse; measure more: flotilla sweep --replicas 1,2,4,8"
    )
