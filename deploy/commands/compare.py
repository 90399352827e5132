"""The command that shows how the answers of two versions differ, without a running stack: compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from deploy.commands.console import console
from deploy.errors import Refused
from deploy.local.settings import LocalSettings

if TYPE_CHECKING:
    from deploy.comparison import Comparison, Side

MOST_PAIRS = 10
LONGEST_ANSWER = 60
NO_ANSWER = "no answer"


@click.command()
@click.argument("model")
@click.argument("first", metavar="V1", type=click.IntRange(1))
@click.argument("second", metavar="V2", type=click.IntRange(1))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Rows to ask for: .csv, .npz or .jsonl.  [default: the sample of V2]",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.01,
    show_default=True,
    help="How far apart two numbers may be, as a share of the larger one.",
)
@click.option(
    "--fail-above",
    type=click.FloatRange(0, 1),
    help="Exit with 1 where a larger share of rows differs.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def compare(
    settings: LocalSettings,
    model: str,
    first: int,
    second: int,
    data: Path | None,
    tolerance: float,
    fail_above: float | None,
    as_json: bool,
) -> None:
    """Ask the published versions V1 and V2 of MODEL for the same rows, and show what differs.

    Needs no running stack, and changes nothing.
    """
    import msgspec

    from deploy.compare import compare as ask_both
    from deploy.sample import read_sample

    def say(text: str) -> None:
        if not as_json:
            console.print(f"[dim]{escape(text)} …[/]", soft_wrap=True)

    if data is None:
        say(f"no --data: the rows are the sample that version {second} was published with")
    rows = None if data is None else read_sample(data)
    found = ask_both(settings.registry, model, first, second, rows, tolerance, say)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        show(found)
    if fail_above is not None and found.rate > fail_above:
        raise Refused(f"{describe(found)}; --fail-above allows {fail_above:.4g}")


def describe(found: "Comparison") -> str:
    """Say in a sentence how many rows differ."""
    return f"{found.disagreeing:,} of {found.rows:,} rows differ in {found.output} ({found.rate:.4g})"


def show(found: "Comparison") -> None:
    """Print a comparison: the versions, what differs in all, and the first rows that do."""
    console.print(describe(found))
    for difference in found.signature:
        console.print(f"Clients of version {found.first.version} would notice: {escape(difference)}")
    versions = Table("version", "engine", "µs a row", "rows without an answer", box=None)
    for side in (found.first, found.second):
        versions.add_row(*_cells(side))
    _print(versions)
    first, second = (f"version {side.version}" for side in (found.first, found.second))
    if found.pairs:
        pairs = Table(first, second, "rows", box=None)
        for pair in found.pairs[:MOST_PAIRS]:
            pairs.add_row(_answer(pair.first), _answer(pair.second), f"{pair.rows:,}")
        _print(pairs)
        if len(found.pairs) > MOST_PAIRS:
            console.print(f"and {len(found.pairs) - MOST_PAIRS} pairs more")
    if found.absolute and found.relative:
        spreads = Table("difference", "mean", "median", "p99", "max", box=None)
        for name, spread in (("absolute", found.absolute), ("relative", found.relative)):
            numbers = (spread.mean, spread.median, spread.p99, spread.max)
            spreads.add_row(name, *(f"{number:.4g}" for number in numbers))
        _print(spreads)
    if found.examples:
        examples = Table("row, from 0", first, second, box=None)
        for each in found.examples:
            examples.add_row(str(each.row), _answer(each.first), _answer(each.second))
        _print(examples)


def _print(table: Table) -> None:
    console.print("", table)


def _cells(side: "Side") -> tuple[str, ...]:
    failed = f"{side.failed:,}: {side.reason}" if side.failed else ""
    spent = "" if side.row_us is None else f"{side.row_us:.4g}"
    return str(side.version), side.engine, spent, escape(failed)


def _answer(value: Any) -> str:
    text = NO_ANSWER if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return escape(text if len(text) <= LONGEST_ANSWER else f"{text[: LONGEST_ANSWER - 1]}…")
