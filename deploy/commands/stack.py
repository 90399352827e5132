"""Commands for the stack without Docker: up, down, scale, status."""

import json

import click
from rich.table import Table

from deploy.commands.console import console, find_stack
from deploy.errors import Refused
from deploy.local.edge import remove_edge_folder
from deploy.local.settings import MOST_REPLICAS, LocalSettings


@click.command()
@click.option(
    "--replicas", type=click.IntRange(1, MOST_REPLICAS), help="How many.  [default: REPLICAS, or 2]"
)
@click.option(
    "--samples",
    default="all",
    show_default=True,
    help="Sample models to train where they aren't there yet: all, none, or names with commas.",
)
@click.pass_obj
def up(settings: LocalSettings, replicas: int | None, samples: str) -> None:
    """Start the stack without Docker."""
    stack = find_stack(settings, running=False)
    if stack.supervisor.running:
        console.print(f"The stack runs already: {stack.url} (flotilla status, flotilla down)")
        return
    from deploy.samples import SAMPLES

    names = {"all": list(SAMPLES), "none": []}.get(samples, samples.split(","))
    if unknown := [name for name in names if name not in SAMPLES]:
        raise Refused(f"--samples: no sample {', '.join(unknown)}; there are {', '.join(SAMPLES)}")
    with console.status("") as progress:

        def say(text: str) -> None:
            console.print(f"  {text}", soft_wrap=True)
            progress.update(text)

        stack.up(replicas or settings.replicas, names, say)
    from deploy.greeting import greet

    console.print(greet(stack), soft_wrap=True, markup=False)


@click.command()
@click.option("--purge", is_flag=True, help="Remove published models, logs and metrics as well.")
@click.pass_obj
def down(settings: LocalSettings, purge: bool) -> None:
    """End the stack; published models stay."""
    stack = find_stack(settings, running=False)
    if stack.supervisor.running:
        stack.down()
        console.print("The stack is down.")
    else:
        remove_edge_folder(stack.home)  # where the stack was ended in some other way
        console.print("No stack runs.")
    if purge:
        stack.purge()


@click.command()
@click.argument("replicas", type=click.IntRange(1, MOST_REPLICAS))
@click.pass_obj
def scale(settings: LocalSettings, replicas: int) -> None:
    """Run REPLICAS replicas; no request is lost."""
    stack = find_stack(settings)
    stack.scale(replicas, lambda text: console.print(f"  {text}", soft_wrap=True))
    console.print(f"{replicas} replicas serve.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def status(settings: LocalSettings, as_json: bool) -> None:
    """Show the processes, what each replica holds and has answered, and the alerts that fire."""
    from deploy.local.status import read_status

    rows = read_status(find_stack(settings))
    if as_json:
        click.echo(json.dumps([row.as_json() for row in rows]))
        return
    table = Table("process", "state", "port", "pid", "up", "requests", "models", box=None)
    for row in rows:
        table.add_row(
            row.name,
            row.state,
            str(row.port or ""),
            str(row.pid or ""),
            f"{row.uptime_seconds} s",
            "" if row.requests is None else f"{row.requests:,}",
            " ".join(row.models),
        )
    console.print(table)
    for line in _alerts(settings.prometheus):
        console.print(line, soft_wrap=True, markup=False)


def _alerts(prometheus: str) -> list[str]:
    from deploy.local.alerts import describe, firing

    try:
        return [describe(each) for each in firing(prometheus)]
    except Refused as error:
        return [f"Whether alerts fire isn't known: {error}"]
