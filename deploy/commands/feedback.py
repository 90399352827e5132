"""Commands for true labels that clients gave: feedback show, feedback export."""

import json
from datetime import UTC, datetime
from typing import TextIO

import click
from rich.table import Table

from deploy.commands.console import console
from deploy.feedback.export import write_csv, write_jsonl
from deploy.feedback.kept import Selection, count_kept, parse_since, read_kept
from deploy.feedback.summary import summarise
from deploy.local.settings import LocalSettings

SINCE = "Only labels given since then: a date (2026-01-31), or as in 90m, 36h, 7d."


@click.group()
def feedback() -> None:
    """Show how well versions do by the true labels that clients gave, or export these."""


@feedback.command()
@click.option("--model", help="Only this model.")
@click.option("--version", help="Only this version.")
@click.option("--since", help=SINCE)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def show(
    settings: LocalSettings, model: str | None, version: str | None, since: str | None, as_json: bool
) -> None:
    """Show accuracy and F1, or errors, of each version, from all labels that are kept."""
    selection = _selection(model, version, since)
    scores = list(summarise(count_kept(settings.feedback, selection)))
    if as_json:
        click.echo(json.dumps([each._asdict() for each in scores]))
        return
    table = Table(
        "model", "version", "labels", "corrected", "accuracy", "macro F1", "MAE", "RMSE", box=None
    )
    for name, number, labels, corrected, *numbers in scores:
        cells = ["" if each is None else f"{each:.4g}" for each in numbers]
        table.add_row(name, number, f"{labels:,}", f"{corrected:,}", *cells)
    console.print(table)


@feedback.command()
@click.option("--model", help="Only this model.")
@click.option("--version", help="Only this version.")
@click.option("--since", help=SINCE)
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option(
    "-o", "--output", type=click.File("w", encoding="utf-8"), default="-", help="Instead of the screen."
)
@click.pass_obj
def export(
    settings: LocalSettings,
    model: str | None,
    version: str | None,
    since: str | None,
    form: str,
    output: TextIO,
) -> None:
    """Write each prediction that has a label, with it, oldest first. What was asked isn't kept."""
    write = write_jsonl if form == "jsonl" else write_csv
    write(read_kept(settings.feedback, _selection(model, version, since)), output)


def _selection(model: str | None, version: str | None, since: str | None) -> Selection:
    return Selection(model, version, parse_since(since, datetime.now(UTC)) if since else 0.0)
