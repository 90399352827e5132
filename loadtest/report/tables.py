"""The tables of a report: figures in, cells as text out, for page, Markdown and terminal alike."""

from typing import NamedTuple

from deploy.top.cells import NOTHING, number, percent, seconds, size
from loadtest.law.bottleneck import Bottleneck
from loadtest.markdown import Rows
from loadtest.report.findings import checks, failed
from loadtest.report.headline import objective
from loadtest.report.steps import StepFigures
from loadtest.study.figures import Figure
from loadtest.study.study import Study


class Table(NamedTuple):
    """A table: its title, a note under it, the cells."""

    title: str
    head: tuple[str, ...]
    rows: Rows
    note: str = ""


def steps_table(study: Study, figures: list[StepFigures]) -> Table:
    """Return a line for each number of replicas."""
    head = (
        "replicas",
        "peak/s",
        "±",
        "each/s",
        "of linear",
        f"{objective(study.settings)}: /s",
        "p50 there",
        "p99 there",
        "CPU a request",
        "memory each",
        "bottleneck",
        "verdict",
    )
    rows = [
        (
            f"{each.replicas}",
            *_doubted(
                "peak" in each.doubted,
                rate(each.peak),
                spread(each.peak),
                number(each.each),
                percent(each.efficiency),
            ),
            *_doubted(
                "objective" in each.doubted,
                rate(each.within),
                seconds(each.p50.median if each.p50 else None),
                seconds(each.p99.median if each.p99 else None),
            ),
            seconds(each.cpu_seconds.median if each.cpu_seconds else None),
            size(each.memory_bytes),
            bottleneck(each.bottleneck),
            each.verdict if each.complete else f"{each.verdict}, incomplete",
        )
        for each in figures
    ]
    note = (
        "Medians of the repetitions; ±: half the distance from the lowest to the highest. Closed loop: "
        "the peak and what follows from it. Open loop: the rate within the objective, and latencies "
        "there, from the moment that a request was due. CPU: of the replicas, at the peak. In "
        "brackets: refused by the checks of its step."
    )
    return Table("Steps", head, rows, note)


def checks_table(study: Study) -> Table:
    """Return a line for each self-check."""
    rows = [(each.name, f"{each.refused}", f"{each.marked}", f"{each.ok}") for each in checks(study)]
    return Table("Self-checks", ("check", "refused", "marked", "ok"), rows)


def failed_table(study: Study) -> Table:
    """Return a line for each finding that refuses or marks something, and why."""
    rows = [
        (each.finding.check, each.finding.verdict, f"{each.replicas}", each.about, each.finding.text)
        for each in failed(study)
    ]
    return Table("Refused and marked", ("check", "verdict", "replicas", "run", "why"), rows)


def ends_table(figures: list[StepFigures]) -> Table:
    """Return what ended the growth at each step, in a sentence."""
    by_text: dict[tuple[str, str], list[str]] = {}
    for each in figures:
        words = (bottleneck(each.bottleneck), each.bottleneck.text)
        by_text.setdefault(words, []).append(f"{each.replicas}")
    rows = [(", ".join(steps), *words) for words, steps in by_text.items()]
    return Table("Bottlenecks", ("replicas", "what ended it", "by measured use, at the peak"), rows)


def bottleneck(found: Bottleneck) -> str:
    """Return what ended a step, with its use: replicas 97 %."""
    return found.part + (f" {percent(found.share)}" if found.share is not None else "")


def _doubted(is_so: bool, *cells: str) -> tuple[str, ...]:
    return tuple(f"({cell})" if is_so and cell != NOTHING else cell for cell in cells)


def spread(found: Figure | None) -> str:
    """Return how far repetitions lie apart; of one run that is unknown, and not 0."""
    return percent(found.spread) if found and found.runs > 1 else NOTHING


def rate(figure: Figure | None) -> str:
    """Return the median of a rate."""
    return number(figure.median if figure else None)
