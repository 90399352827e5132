"""The table at a sweep's end: a study comes in, its figures by number of replicas go out."""

from collections.abc import Iterator

from msgspec import Struct
from rich.table import Table

from loadtest.study.figures import (
    Figure,
    efficiency,
    objective_rate,
    peak,
    quantile,
    runs_for,
    verdict,
)
from loadtest.study.study import Study, Verdict


class Row(Struct, frozen=True):
    """A step's figures: right replies a second, seconds; None where nothing could be concluded."""

    replicas: int
    complete: bool
    peak: Figure | None
    efficiency: float | None
    within_objective: Figure | None
    latency_seconds: Figure | None  # of the objective's share of requests, at that rate
    ready_seconds: float | None
    verdict: Verdict


def rows(study: Study) -> Iterator[Row]:
    """Yield each step's figures, the fewest replicas first."""
    shares = efficiency(study)
    for step in sorted(study.steps, key=lambda each: each.replicas):
        yield Row(
            replicas=step.replicas,
            complete=step.complete,
            peak=peak(step),
            efficiency=shares.get(step.replicas),
            within_objective=objective_rate(step),
            latency_seconds=quantile(runs_for(step, "objective"), study.settings.objective_share),
            ready_seconds=step.ready_seconds,
            verdict=verdict(step),
        )


def table(study: Study) -> Table:
    """Return the figures for a terminal."""
    settings = study.settings
    within = f"p{100 * settings.objective_share:g} ≤ {1e3 * settings.objective_seconds:g} ms"
    heads = ("replicas", "peak", "each", "efficiency", within, "measured there", "verdict")
    shown = Table(*heads, box=None)
    for row in rows(study):
        shown.add_row(
            str(row.replicas),
            _rate(row.peak),
            f"{row.peak.median / row.replicas:,.0f}/s" if row.peak else "",
            f"{row.efficiency:.3f}" if row.efficiency else "",
            _rate(row.within_objective),
            f"{1e3 * row.latency_seconds.median:.1f} ms" if row.latency_seconds else "",
            row.verdict + ("" if row.complete else ", not complete"),
        )
    return shown


def _rate(figure: Figure | None) -> str:
    return f"{figure.median:,.0f}/s ± {100 * figure.spread:.1f} %" if figure else ""
