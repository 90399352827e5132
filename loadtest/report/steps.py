"""What the report says of a step: runs come in, a line of figures goes out.

Page, Markdown, CSV and comparison all take them from here, so they can't differ.
"""

from dataclasses import dataclass
from statistics import median

from loadtest.law.bottleneck import Bottleneck, bottleneck, replica_parts
from loadtest.study.figures import (
    Figure,
    doubted,
    efficiency,
    figure,
    objective_rate,
    peak,
    quantile,
    runs_for,
    verdict,
)
from loadtest.study.study import Purpose, Run, Step, Study, Verdict


@dataclass(frozen=True)
class StepFigures:
    """A step's figures; None: there is nothing from which it could be told.

    `peak` and `within` are right replies a second, closed loop and open loop; `p50` and `p99` are
    seconds, at the rate `within`, from the moment that a request was due. `cpu_seconds` is processor
    time of all replicas for each request at the peak; `memory_bytes` what one replica holds there.
    """

    replicas: int
    peak: Figure | None
    efficiency: float | None
    within: Figure | None
    p50: Figure | None
    p99: Figure | None
    cpu_seconds: Figure | None
    memory_bytes: float | None
    bottleneck: Bottleneck
    verdict: Verdict
    doubted: frozenset[Purpose]  # of "peak" and "objective": what the step's own checks refuse
    refused: int  # of its runs
    runs: int
    complete: bool

    @property
    def each(self) -> float | None:
        """Return the peak of one replica."""
        return self.peak.median / self.replicas if self.peak else None


def step_figures(study: Study) -> list[StepFigures]:
    """Return the figures of every step, the smallest first."""
    shares = efficiency(study)
    return [
        _figures(step, shares.get(step.replicas))
        for step in sorted(study.steps, key=lambda step: step.replicas)
    ]


def measured(step: Step, purpose: Purpose) -> list[Run]:
    """Return the runs for a purpose that count and have latencies."""
    return [run for run in runs_for(step, purpose) if run.latency]


def cpu_seconds(run: Run) -> float | None:
    """Return the replicas' processor time for each request that was answered right."""
    parts = replica_parts(run)
    return sum(part.cpu_seconds for part in parts) / run.ok if parts and run.ok else None


def _figures(step: Step, share: float | None) -> StepFigures:
    peaks, within = runs_for(step, "peak"), measured(step, "objective")
    costs = [cost for run in peaks if (cost := cpu_seconds(run)) is not None]
    held = [part.memory_bytes for run in peaks for part in replica_parts(run)]
    return StepFigures(
        replicas=step.replicas,
        peak=peak(step),
        efficiency=share,
        within=objective_rate(step),
        p50=quantile(within, 0.5),
        p99=quantile(within, 0.99),
        cpu_seconds=figure(costs),
        memory_bytes=median(held) if held else None,
        bottleneck=bottleneck(step),
        verdict=verdict(step),
        doubted=doubted(step),
        refused=sum(run.verdict == "refused" for run in step.runs),
        runs=len(step.runs),
        complete=step.complete,
    )
