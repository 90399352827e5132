"""All plots of a study, in the order in which a reader asks: how much, how fast, why, when."""

from loadtest.law.law import Law
from loadtest.report import latency
from loadtest.report.balance import balance
from loadtest.report.distribution import distribution
from loadtest.report.plot import Plot
from loadtest.report.steps import StepFigures
from loadtest.report.throughput import throughput
from loadtest.report.timeline import timelines
from loadtest.study.study import Study


def plots(study: Study, figures: list[StepFigures], law: Law | None) -> list[Plot]:
    """Return the plots for which the study has figures; time lines from the most replicas down."""
    found = (
        throughput(study, figures, law),
        latency.against_replicas(study),
        latency.against_rate(study),
        distribution(study),
        balance(study),
    )
    return [each for each in found if each] + timelines(study)[::-1]
