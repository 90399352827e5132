"""Write a study's report: page, pictures, CSV, Markdown, beside study.json."""

from pathlib import Path

from loadtest.law.verdict import sentences
from loadtest.report import records, tables
from loadtest.report.csv_files import write_figures, write_runs
from loadtest.report.headline import headline, reservations
from loadtest.report.law import law_of
from loadtest.report.page import render
from loadtest.report.plots import plots
from loadtest.report.steps import step_figures
from loadtest.report.summary import summary
from loadtest.study.study import Study

PAGE, SUMMARY, RUNS, FIGURES = "report.html", "summary.md", "runs.csv", "figures.csv"


def write_report(study: Study, folder: Path) -> list[Path]:
    """Write everything into the folder, over what was there; return the files, the page first.

    The same study gives the same bytes. A study that has little in it gives a page that says so.
    """
    figures = step_figures(study)
    law, why_not = law_of(study)
    drawn = plots(study, figures, law)
    page = render(
        "report.html",
        study=study,
        headline=headline(study, figures),
        reservations=reservations(study, figures, why_not),
        law=sentences(law) if law else [],
        plots=[plot for plot in drawn if not plot.name.startswith("timeline")],
        timelines=[plot for plot in drawn if plot.name.startswith("timeline")],
        steps=tables.steps_table(study, figures),
        ends=tables.ends_table(figures),
        checks=tables.checks_table(study),
        failed=tables.failed_table(study),
        failures=records.failures_table(study),
        runs=records.runs_table(study),
        conditions=[records.settings_table(study), records.hardware_table(study)],
        created=records.moment(study.created),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page)
    (folder / SUMMARY).write_text(summary(study, "throughput.png") + "\n")
    write_runs(study, folder / RUNS)
    write_figures(figures, folder / FIGURES)
    for plot in drawn:
        (folder / f"{plot.name}.png").write_bytes(plot.png())
    pictures = [folder / f"{plot.name}.png" for plot in drawn]
    return [folder / PAGE, folder / SUMMARY, folder / RUNS, folder / FIGURES, *pictures]
