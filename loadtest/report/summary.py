"""A study's result in Markdown, for the README or a pull request: sentences, a table, a picture."""

from textwrap import fill

from loadtest.law.verdict import sentences
from loadtest.markdown import Rows, literal, markdown_table
from loadtest.report.headline import headline, reservations
from loadtest.report.law import law_of
from loadtest.report.records import moment
from loadtest.report.steps import step_figures
from loadtest.report.tables import steps_table
from loadtest.study.study import Study

WIDTH = 104
BEGIN, END = "<!-- scaling study -->", "<!-- end of the scaling study -->"
HARDWARE = ("cpu", "cores", "memory", "commit")  # what a short text can't be without


def summary(study: Study, picture: str | None = None) -> str:
    """Return the summary; `picture` is the path of throughput.png from the folder of the Markdown."""
    figures = step_figures(study)
    law, why_not = law_of(study)
    table = steps_table(study, figures)
    rows: Rows = [tuple(map(literal, cells)) for cells in table.rows]
    parts = [_paragraph(headline(study, figures))]
    parts += [_paragraph(text) for text in reservations(study, figures, why_not)]
    if rows:
        parts.append(markdown_table(table.head, rows))
    if picture and any(each.peak for each in figures):
        parts.append(
            f"![Throughput against replicas, with the scaling law]({picture.replace(' ', '%20')})"
        )
    if law:
        parts.append(_paragraph(" ".join(sentences(law))))
    return "\n\n".join([*parts, _paragraph(f"{table.note} {_conditions(study)}")])


def _conditions(study: Study) -> str:
    about = study.settings
    hardware = ", ".join(
        f"{name} {study.hardware[name]}" for name in HARDWARE if name in study.hardware
    )
    quota = f"{about.cpus:g} CPU each" if about.cpus else "no quota"
    return (
        f"Study {study.name} of {moment(study.created)}: {about.model} on {about.stack}, {quota}, "
        f"{about.rows} {'row' if about.rows == 1 else 'rows'} a request, {about.shape}; "
        f"{about.repetitions} repetitions of {about.run_seconds:g} s. {hardware}."
    )


def _paragraph(text: str) -> str:
    return fill(literal(text), WIDTH, break_on_hyphens=False, break_long_words=False)
