"""The command that shows a study as a page, plots and tables, and two of them side by side: report."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from deploy.commands.console import console
from deploy.commands.installed import installed
from deploy.errors import Refused

if TYPE_CHECKING:
    from loadtest.report.tables import Table as Cells
    from loadtest.study.study import Study

STYLES = {"refused": "red", "marked": "yellow"}


@click.command()
@click.argument("name", metavar="[STUDY]", required=False)
@click.option("--list", "listed", is_flag=True, help="Show which studies there are.")
@click.option("--compare", "pair", nargs=2, metavar="A B", help="Hold B against A, the noise in view.")
@click.option(
    "--fail-if-slower",
    "percent",
    type=click.FloatRange(0, 100),
    help="With --compare: exit with 1 where a rate of B is so many percent lower, beyond the noise.",
)
@click.option("--markdown", is_flag=True, help="Print the Markdown summary, and write nothing.")
@click.option(
    "--readme",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Write the summary between the two marks in this file.",
)
def report(
    name: str | None,
    listed: bool,
    pair: tuple[str, str] | None,
    percent: float | None,
    markdown: bool,
    readme: Path | None,
) -> None:
    """Write a study's report: a page that needs nothing else, plots, CSV, Markdown.

    STUDY is a name or a folder; without it, the newest.
    """
    if percent is not None and not pair:
        raise click.UsageError("--fail-if-slower goes with --compare A B")
    with installed():
        if listed:
            _list()
        elif pair:
            _compare(*pair, percent, markdown)
        else:
            _report(name, markdown, readme)


def _report(name: str | None, markdown: bool, readme: Path | None) -> None:
    from loadtest.report.headline import headline, reservations
    from loadtest.report.law import law_of
    from loadtest.report.report import write_report
    from loadtest.report.steps import step_figures
    from loadtest.report.summary import summary
    from loadtest.report.tables import steps_table
    from loadtest.study.folder import find, load

    folder = find(name)
    study = load(folder)
    if markdown:
        click.echo(summary(study, os.path.relpath(folder / "throughput.png")))
        return
    files = write_report(study, folder)
    figures = step_figures(study)
    said = [headline(study, figures), *reservations(study, figures, law_of(study)[1])]
    for text in said:
        console.print(escape(text), soft_wrap=True)
    _show(steps_table(study, figures))
    click.echo(f"\n{files[0]} and {len(files) - 1} files beside it")
    if readme:
        _write_readme(study, folder, readme)


def _write_readme(study: "Study", folder: Path, readme: Path) -> None:
    from loadtest.markdown import NoPlaceError, write_between
    from loadtest.report.summary import BEGIN, END, summary

    picture = os.path.relpath(folder / "throughput.png", readme.resolve().parent)
    try:
        write_between(readme, BEGIN, END, summary(study, Path(picture).as_posix()))
    except NoPlaceError as error:
        raise Refused(str(error)) from error
    click.echo(f"{readme} shows it, with {picture}: a link that works where that file is committed")


def _compare(first: str, second: str, percent: float | None, as_markdown: bool) -> None:
    from loadtest.report.comparison import compare
    from loadtest.report.comparison_page import changes_table, markdown, write_comparison
    from loadtest.study.folder import find, load

    folder = find(second)
    found = compare(load(find(first)), load(folder))
    if as_markdown:
        click.echo(markdown(found))
    else:
        console.print(escape(found.verdict), soft_wrap=True)
        for text in found.incomparable:
            console.print(f"[yellow]can't be compared:[/] {escape(text)}", soft_wrap=True)
        for text in found.also:
            console.print(f"[dim]{escape(text)}[/]", soft_wrap=True)
        _show(changes_table(found))
        click.echo(f"\n{write_comparison(found, folder)}")
    if percent is None:
        return
    if found.incomparable or not found.told:
        why = "; ".join(found.incomparable) or "no rate has repetitions in both"
        raise Refused(f"{first} and {second} can't be compared: {why}")
    if slower := found.slower(percent):
        texts = [f"{each.name} with {each.replicas}: {each.text}" for each in slower]
        raise Refused(f"{'; '.join(texts)}; --fail-if-slower allows {percent:g} %")


def _list() -> None:
    from loadtest.report.listing import listing

    _show(listing())


def _show(cells: "Cells") -> None:
    """Print a table in its terminal form, and what is to be known of its figures."""
    table = Table(*map(escape, cells.head), box=None)
    for row in cells.rows:
        table.add_row(*map(escape, row), style=STYLES.get(row[-1]))
    console.print("", table)
    if cells.note:
        console.print(f"[dim]{escape(cells.note)}[/]")
