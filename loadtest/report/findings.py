"""The self-checks of a study: findings in, a line for each check and the failed ones out."""

from collections import Counter
from typing import NamedTuple

from loadtest.study.study import Finding, Run, Step, Study

WORST_FIRST = ("refused", "marked", "ok")


class Found(NamedTuple):
    """A finding and what it is about; `replicas` is the step's."""

    replicas: int
    about: str
    finding: Finding


class Check(NamedTuple):
    """What became of a check: how often each verdict was given."""

    name: str
    ok: int
    marked: int
    refused: int


def found(study: Study) -> list[Found]:
    """Return all findings, the refused first, each verdict by steps."""
    every = [
        Found(step.replicas, about, finding)
        for step in study.steps
        for about, findings in [("the step", step.findings), *_of_runs(step)]
        for finding in findings
    ]
    return sorted(every, key=lambda each: WORST_FIRST.index(each.finding.verdict))


def failed(study: Study) -> list[Found]:
    """Return the findings that mark or refuse something."""
    return [each for each in found(study) if each.finding.verdict != "ok"]


def checks(study: Study) -> list[Check]:
    """Return each check with its counts, those that refused something first."""
    counts: dict[str, Counter[str]] = {}
    for each in found(study):
        counts.setdefault(each.finding.check, Counter())[each.finding.verdict] += 1
    rows = [Check(name, seen["ok"], seen["marked"], seen["refused"]) for name, seen in counts.items()]
    return sorted(rows, key=lambda row: (-row.refused, -row.marked, row.name))


def name_of(run: Run) -> str:
    """Name a run within its step."""
    rate = f", {run.rate:,.0f} a second" if run.rate else f", {run.connections} connections"
    return f"{run.purpose} {run.repetition}{rate}"


def _of_runs(step: Step) -> list[tuple[str, list[Finding]]]:
    return [(name_of(run), run.findings) for run in step.runs]
