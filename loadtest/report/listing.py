"""The studies that there are: their folder in, a line for each out, the newest first."""

from pathlib import Path

from deploy.errors import Refused
from loadtest.report.records import moment
from loadtest.report.steps import step_figures
from loadtest.report.tables import Table, rate
from loadtest.study.folder import RESULTS, STUDY, load
from loadtest.study.study import Study


def listing(results: Path = RESULTS) -> Table:
    """Return the studies in a folder; raise `Refused` where there is none."""
    studies, broken = [], []
    for file in sorted(results.glob(f"*/{STUDY}")):
        try:
            studies.append((load(file.parent), file.parent.name))
        except Refused as error:
            broken.append(str(error))
    if not studies:
        raise Refused("; ".join(broken) or f"no study in {results}; `flotilla sweep` makes one")
    rows = [_cells(*each) for each in sorted(studies, key=lambda each: each[0].created, reverse=True)]
    head = ("study", "begun", "model", "stack", "CPUs each", "replicas", "highest peak/s", "state")
    return Table("Studies", head, rows, "; ".join(broken))


def _cells(study: Study, name: str) -> tuple[str, ...]:
    peaks = [each.peak for each in step_figures(study) if each.peak]
    return (
        name,
        moment(study.created),
        study.settings.model,
        study.settings.stack,
        f"{study.settings.cpus:g}" if study.settings.cpus else "no quota",
        ", ".join(f"{step.replicas}" for step in study.steps),
        rate(max(peaks, default=None)),
        "finished" if study.finished else "not finished",
    )
