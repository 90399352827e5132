"""Repetitions: how much a figure varies when it is measured again."""

from statistics import mean, stdev

from deploy.top.cells import number, percent, seconds
from loadtest.histogram import Histogram
from loadtest.study.figures import runs_for
from loadtest.study.study import Finding, Purpose, Settings, Step, Verdict

CHECK = "repetitions"
# Standard deviation over mean. Efficiency compares two figures: at 5 % each it is off by 7.
MARKED_BEYOND, REFUSED_BEYOND = 0.05, 0.15
# Of two runs a deviation says next to nothing.
FEW = 3


def check_repetitions(step: Step, settings: Settings, purpose: Purpose) -> Finding:
    """Mark or refuse a step's figure that varies, that too few runs are left of, or that has none."""
    runs = runs_for(step, purpose)
    rates = [each.achieved for each in runs]
    asked = settings.repetitions
    what = f"{purpose}: {len(runs)} of {asked} runs count"
    if not runs:
        return Finding(CHECK, "refused", f"{what}: no figure")
    text = f"{what}, {number(min(rates))} to {number(max(rates))} a second"
    if len(runs) == 1:
        verdict: Verdict = "ok" if asked == 1 else "marked"
        return Finding(CHECK, verdict, f"{text}: how much it varies is unknown")
    varies = stdev(rates) / mean(rates) if mean(rates) else 0.0
    text = f"{text}, coefficient of variation {percent(varies)}"
    if varies > MARKED_BEYOND:
        return Finding(CHECK, "refused" if varies > REFUSED_BEYOND else "marked", text)
    if len(runs) < asked:
        return Finding(CHECK, "marked", text)
    return Finding(CHECK, "ok", f"{text}, of few runs" if len(runs) < FEW else text)


def check_kept(step: Step, settings: Settings) -> Finding:
    """Compare each run at the rate that is said to keep the objective with the objective."""
    share, limit = settings.objective_share, settings.objective_seconds
    found = [
        Histogram.decode(each.latency).quantile_seconds(share) for each in runs_for(step, "objective")
    ]
    if not found:
        return Finding(CHECK, "refused", "objective: no run shows that it is kept")
    kept = sum(each <= limit for each in found)
    text = f"objective: {kept} of {len(found)} runs kept p{share * 100:g} under {seconds(limit)}"
    if kept == len(found):
        return Finding(CHECK, "ok", text)
    longest = f"{text}, the longest {seconds(max(found))}"
    return Finding(CHECK, "marked" if 2 * kept > len(found) else "refused", longest)
