"""The table at a sweep's end: a study comes in, its figures by number of replicas go out."""

from typing import Any

from rich.table import Table

from loadtest.study.figures import Figure, efficiency, objective_rate, peak, quantile, runs_for
from loadtest.study.study import Step, Study, Verdict


def rows(study: Study) -> list[dict[str, Any]]:
    """Return each step's figures by name: rates a second, latencies in seconds, None where unknown."""
    shares = efficiency(study)
    found = []
    for step in sorted(study.steps, key=lambda each: each.replicas):
        most, kept = peak(step), objective_rate(step)
        p99 = quantile(runs_for(step, "objective"), study.settings.objective_share)
        found.append(
            {
                "replicas": step.replicas,
                "peak": most and most.median,
                "peak_spread": most and most.spread,
                "each": most and most.median / step.replicas,
                "efficiency": shares.get(step.replicas),
                "within_objective": kept and kept.median,
                "within_objective_spread": kept and kept.spread,
                "latency_seconds": p99 and p99.median,
                "ready_seconds": step.ready_seconds,
                "verdict": verdict(step),
                "complete": step.complete,
            }
        )
    return found


def verdict(step: Step) -> Verdict:
    """Return the worst that was found of a step and of the runs that figures are made of."""
    runs = [each for each in step.runs if each.purpose in ("peak", "objective")]
    verdicts = {each.verdict for each in (*step.findings, *runs)}
    return "refused" if "refused" in verdicts else "marked" if "marked" in verdicts else "ok"


def table(study: Study) -> Table:
    """Return the figures for a terminal."""
    settings = study.settings
    within = f"p{100 * settings.objective_share:g} ≤ {1e3 * settings.objective_seconds:g} ms"
    heads = ("replicas", "peak", "each", "efficiency", within, "measured there", "verdict")
    shown = Table(*heads, box=None)
    shares = efficiency(study)
    for step in sorted(study.steps, key=lambda each: each.replicas):
        most, kept = peak(step), objective_rate(step)
        late = quantile(runs_for(step, "objective"), settings.objective_share)
        share = shares.get(step.replicas)
        shown.add_row(
            str(step.replicas),
            _rate(most),
            f"{most.median / step.replicas:,.0f}/s" if most else "",
            f"{share:.3f}" if share else "",
            _rate(kept),
            f"{1e3 * late.median:.1f} ms" if late else "",
            verdict(step) + ("" if step.complete else ", not complete"),
        )
    return shown


def _rate(figure: Figure | None) -> str:
    return f"{figure.median:,.0f}/s ± {100 * figure.spread:.1f} %" if figure else ""
