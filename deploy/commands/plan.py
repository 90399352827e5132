"""The command that says how many replicas a target needs: plan."""

import re
from textwrap import fill
from typing import TYPE_CHECKING

import click
from rich.table import Table

from deploy.commands.console import console
from deploy.commands.installed import installed
from deploy.errors import Refused
from deploy.top.cells import NOTHING

if TYPE_CHECKING:
    from loadtest.plan.plan import Need, Plan

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)(us|µs|ms|s)")
_UNIT_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
GIGABYTE = 1e9
# Sentences are read, and lines of more characters aren't read well.
MOST_CHARACTERS = 80


@click.command()
@click.option("--rps", type=float, required=True, help="Requests a second that are to be answered.")
@click.option("--p99", required=True, help="Within which time 99 % of them: 50ms, 0.05s.")
@click.option("--study", "name", help="Name or folder of a study; the newest without it.")
@click.option("--rows", type=click.IntRange(1), help="Refuse a study with other rows a request.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def plan(
    ctx: click.Context, rps: float, p99: str, name: str | None, rows: int | None, as_json: bool
) -> None:
    """Say how many replicas, CPUs and GB a rate of requests needs, from the last study.

    Replicas keep a latency up to a share of their peak, which the study shows; their peak at any number
    of replicas is the scaling law's. Figures have 95 % intervals, and what lies beyond the measured
    numbers of replicas is marked as extrapolated.

    Exits with 1 where no number of replicas is enough.
    """
    within = _seconds(p99)
    with installed():
        from loadtest.law.fit import fit
        from loadtest.plan.plan import plan as make
        from loadtest.plan.words import headline, sentences
        from loadtest.study.folder import find, load

    study = load(find(name))
    if rows not in (None, study.settings.rows):
        raise Refused(
            f"study {study.name} has rows={study.settings.rows} in each request, not {rows}; "
            f"measure these: flotilla sweep --rows {rows}"
        )
    law = fit(study)
    made = make(study, rps, within, law)
    said = sentences(made, law, study)
    if as_json:
        click.echo(summary(made, said))
    else:
        width = min(console.width, MOST_CHARACTERS)
        click.echo(fill(headline(made), width))
        if made.reached:
            console.print("", table(made))
        console.print("")
        for each in said:
            click.echo(fill(each, width, initial_indent="  ", subsequent_indent="  "))
    ctx.exit(int(not made.reached))


def summary(made: "Plan", said: list[str]) -> bytes:
    """Return a plan for machines, as JSON."""
    import msgspec

    figures = msgspec.structs.asdict(made)
    estimates = {"share": made.share._asdict(), "most": made.most._asdict()}
    return msgspec.json.encode({"reached": made.reached, **figures, **estimates, "sentences": said})


def table(made: "Plan") -> Table:
    """Return what it takes, a line for each end of the interval and one for a spare replica."""
    lines = Table("", box=None)
    for column in ("replicas", "CPUs", "memory"):
        lines.add_column(column, justify="right")
    for label, need in (
        ("at best", made.low),
        ("expected", made.expected),
        ("at worst", made.high),
        ("expected, and one to fail or be updated", made.spare),
    ):
        lines.add_row(label, *_cells(need))
    return lines


def _cells(need: "Need") -> tuple[str, str, str]:
    if need.replicas is None:
        return "no number", NOTHING, NOTHING
    cpus = NOTHING if need.cpus is None else f"{need.cpus:,.1f}"
    memory = NOTHING if need.memory_bytes is None else f"{need.memory_bytes / GIGABYTE:,.1f} GB"
    return f"{need.replicas:,}", cpus, memory


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip().replace(" ", ""))
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]] if match else 0.0
    if not seconds:
        raise Refused(f"--p99 {text}: expected a time above 0 with its unit, as in 50ms or 0.05s")
    return seconds
