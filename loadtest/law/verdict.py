"""What a study says of scaling: it comes in with its law, rows and sentences go out, for people."""

from math import inf
from typing import NamedTuple

from deploy.top.cells import number, percent
from loadtest.law.bottleneck import Bottleneck, bottlenecks
from loadtest.law.law import Estimate, Law
from loadtest.law.region import PARAMETERS
from loadtest.study.figures import Figure, efficiency, peak
from loadtest.study.study import Study


class Row(NamedTuple):
    """A number of replicas: its peak in requests a second, what of linear that is, what ended it.

    `law` is None where there is none; `counted` says whether the law was fitted to this step.
    """

    replicas: int
    peak: Figure
    efficiency: float
    law: Estimate | None
    counted: bool
    bottleneck: Bottleneck


def rows(study: Study, law: Law | None) -> list[Row]:
    """Return a row for each number of replicas that has a peak, the fewest first."""
    linear, ended = efficiency(study), bottlenecks(study)
    found = [
        Row(
            step.replicas,
            peak_there,
            linear[step.replicas],
            law.at(step.replicas) if law else None,
            law is not None and step.replicas in law.measured,
            ended[step.replicas],
        )
        for step in study.steps
        if (peak_there := peak(step))
    ]
    return sorted(found, key=lambda row: row.replicas)


def sentences(law: Law) -> list[str]:
    """Return what the law says, and how sure it is."""
    return [
        f"One replica gives {between(law.alone)} requests/s; contention is "
        f"{_share(law.sigma)}, coherency {_share(law.kappa)} (95 % intervals; R² {law.r2:.4f}).",
        _peak(law),
        *caveats(law),
    ]


def caveats(law: Law) -> list[str]:
    """Return what the law isn't, or can't be, sure of."""
    said = []
    if law.refused:
        counts = ", ".join(map(str, law.refused))
        said.append(
            f"Not counted, because the checks refuse it or there is no peak: {counts} replicas."
        )
    if law.left_out:
        said.append(
            f"Not counted, because it wasn't the replicas that ended it: {_ended(law.left_out)}."
        )
    if law.bent:
        said.append(
            f"This machine is in the law: {_ended(law.bent)}. On a larger one replicas add more; "
            "with a smaller quota for each (flotilla sweep --cpus) this one has room to show it."
        )
    if len(law.measured) == PARAMETERS:
        said.append(
            "Three numbers of replicas fit any law: what each had of its own isn't in the intervals."
        )
    return said


def so_many(replicas: int) -> str:
    """Return a number of replicas: 1 replica, 8 replicas."""
    return f"{replicas:,} replica" + "s" * (replicas != 1)


def between(estimate: Estimate) -> str:
    """Return a rate with its interval: 503 (498 to 507)."""
    value, low, high = (number(each) if each < inf else "any" for each in estimate)
    return f"{value} ({low} to {high})"


def _share(estimate: Estimate) -> str:
    value, low, high = (percent(each) if each < inf else "any" for each in estimate)
    return f"{value} ({low} to {high})"


def _peak(law: Law) -> str:
    value, low, high = law.peak_replicas
    most = max(law.measured)
    if law.peak_seen:
        return (
            f"Most is given by about {number(value)} replicas ({number(low)} to {number(high)}): "
            f"{between(law.at(value))} requests/s. More give less."
        )
    return f"No peak is seen up to {so_many(most)}: it isn't sure that more give less anywhere."


def _ended(steps: dict[int, Bottleneck]) -> str:
    return "; ".join(f"{so_many(count)}, {found.text}" for count, found in steps.items())
