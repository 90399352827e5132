"""The result of a study in sentences: the main one, and what keeps it from being whole."""

from deploy.top.cells import number, percent
from loadtest.law.fit import FOREIGN
from loadtest.law.verdict import so_many
from loadtest.report.steps import StepFigures
from loadtest.study.study import Settings, Study


def headline(study: Study, figures: list[StepFigures]) -> str:
    """Return the main result, of the most replicas that the machine had room for."""
    peaks = [each for each in figures if each.peak and "peak" not in each.doubted]
    if not peaks:
        runs = any(each.runs for each in figures)
        return f"No peak of this study counts: {'the checks refuse all' if runs else 'it has no runs'}."
    # More replicas than the machine has room for say nothing of replicas.
    own = [each for each in peaks if each.bottleneck.part not in FOREIGN] or peaks
    base, last = peaks[0], own[-1]
    assert base.peak
    assert last.peak
    text = (
        f"{so_many(last.replicas)} of {study.settings.model} {_verb(last, 'give')} "
        f"{number(last.peak.median)} right replies a second at the peak"
    )
    if last is not base and last.efficiency is not None:
        text += (
            f", {last.peak.median / base.peak.median:.2f} times what {so_many(base.replicas)} "
            f"{_verb(base, 'give')}: {percent(last.efficiency)} of linear"
        )
    text += "."
    if last.within and "objective" not in last.doubted:
        text += f" With {objective(study.settings)} it is {number(last.within.median)} a second."
    for each in (one for one in peaks if one not in own):
        text += f" With {so_many(each.replicas)} it wasn't they that ended: {each.bottleneck.text}."
    return text


def reservations(study: Study, figures: list[StepFigures], why_no_law: str) -> list[str]:
    """Return a sentence for each thing that is missing or doesn't count."""
    refused, runs = sum(each.refused for each in figures), sum(each.runs for each in figures)
    missing = [
        each
        for each in study.settings.replicas
        if each not in {s.replicas for s in figures if s.complete}
    ]
    every = [run for step in study.steps for run in step.runs]
    conditions = {
        "The study was interrupted or goes on: "
        f"{_list(missing)} of the steps {_list(list(study.settings.replicas))} "
        f"{'is' if len(missing) == 1 else 'are'} not complete.": bool(missing),
        "The study isn't marked as finished.": not missing and study.finished is None,
        f"{refused} of {runs} runs {'is' if refused == 1 else 'are'} refused: shown, but no figure is "
        "taken from it.": refused,
        f"No scaling law: {why_no_law}.": why_no_law and runs,
        "There is no run of an open loop that counts: nothing is said of latencies.": runs
        and not any(each.p99 for each in figures),
        "The server's own counts are unknown (Prometheus could not be asked): balance and lost replies "
        "were judged by the client alone.": runs
        and not any(run.server.requests_by_replica for run in every),
        "What the parts used is unknown: no processor time, memory or bottleneck.": runs
        and not any(run.server.parts for run in every),
    }
    return [text for text, holds in conditions.items() if holds]


def objective(settings: Settings) -> str:
    """Name the objective: p99 within 50 ms."""
    return f"p{settings.objective_share * 100:g} within {settings.objective_seconds * 1000:g} ms"


def _verb(step: StepFigures, verb: str) -> str:
    return verb + ("s" if step.replicas == 1 else "")


def _list(counts: list[int]) -> str:
    return ", ".join(map(str, counts))
