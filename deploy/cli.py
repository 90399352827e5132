"""The command line: `flotilla COMMAND`. Words come in, one of the other modules does the work.

Exit codes: 0 done, 1 refused with a sentence that says why, 2 wrong usage.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from deploy.errors import Refused
from deploy.local.settings import MOST_REPLICAS, LocalSettings
from service.settings import SettingError

# A pipe or a file has no width; a table in it shouldn't be folded to rich's 80 columns.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


class Commands(click.Group):
    """Renders what can be put right as one sentence, and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (Refused, SettingError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="flotilla")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Serve scikit-learn models from many replicas behind one door."""
    ctx.obj = LocalSettings.read(os.environ)


def _stack(settings: LocalSettings, running: bool = True) -> Any:
    from deploy.local.stack import Stack  # slow to import, and not every command needs it

    stack = Stack(settings)
    if running and not stack.supervisor.running:
        raise Refused(f"no stack runs in {stack.home}; start it with: flotilla up")
    return stack


@main.command()
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
    stack = _stack(settings, running=False)
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


@main.command()
@click.option("--purge", is_flag=True, help="Remove published models, logs and metrics as well.")
@click.pass_obj
def down(settings: LocalSettings, purge: bool) -> None:
    """End the stack; published models stay."""
    stack = _stack(settings, running=False)
    if stack.supervisor.running:
        stack.down()
        console.print("The stack is down.")
    else:
        console.print("No stack runs.")
    if purge:
        stack.purge()


@main.command()
@click.argument("replicas", type=click.IntRange(1, MOST_REPLICAS))
@click.pass_obj
def scale(settings: LocalSettings, replicas: int) -> None:
    """Run REPLICAS replicas; no request is lost."""
    stack = _stack(settings)
    stack.scale(replicas, lambda text: console.print(f"  {text}", soft_wrap=True))
    console.print(f"{replicas} replicas serve.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def status(settings: LocalSettings, as_json: bool) -> None:
    """Show the processes, and what each replica holds and has answered."""
    from deploy.local.status import read_status

    rows = read_status(_stack(settings))
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


@main.command()
@click.argument("names", nargs=-1)
@click.option("-n", "--lines", default=20, show_default=True, help="Lines of each log.")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.pass_obj
def logs(settings: LocalSettings, names: Sequence[str], lines: int, follow: bool) -> None:
    """Show the logs of the processes NAMES (all by default)."""
    from deploy.local.logs import show_logs

    show_logs(settings.flotilla_home / "logs", names, lines, follow, click.echo)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Name of the model in URLs.")
@click.option(
    "--sample",
    required=True,
    type=click.Path(path_type=Path),
    help="Typical input: .csv, .npz or .jsonl.",
)
@click.option("--description", default="", help="One sentence for the model's page.")
@click.option("--metric", "metrics", multiple=True, help="Score on the hold-out, as NAME=NUMBER.")
@click.option("--trust-type", "trusted", multiple=True, help="A type of yours in a .skops file.")
@click.option("--trust", is_flag=True, help="Open a pickle, which may run any code.")
@click.pass_obj
def publish(
    settings: LocalSettings,
    model: Path,
    name: str,
    sample: Path,
    description: str,
    metrics: Sequence[str],
    trusted: Sequence[str],
    trust: bool,
) -> None:
    """Write the next version of a model from the file MODEL (.skops, or .joblib with --trust).

    The first version of a model answers at once; for a later one: flotilla activate.
    """
    from deploy.publish import publish as write
    from deploy.routes import activate as route
    from deploy.routes import routed
    from deploy.sample import read_sample

    if trust:
        console.print("[yellow]Opening a pickle: it may run any code, on every replica too.[/]")
    registry = settings.flotilla_home / "registry"
    manifest = write(
        registry,
        model,
        name,
        read_sample(sample),
        description=description,
        metrics=_numbers(metrics),
        trusted=trusted,
        trust_pickle=trust,
    )
    console.print(f"Published {name} version {manifest.version} ({manifest.digest[:12]}).")
    if routed(registry, name):
        console.print(f"To let it answer: flotilla activate {name} {manifest.version}")
    else:
        route(registry, name, manifest.version, "first version")
        console.print(f"It answers at /v1/models/{name}:predict.")


@main.command()
@click.argument("model")
@click.argument("version", type=click.IntRange(1))
@click.option("--reason", default="", help="Kept in the route's history.")
@click.pass_obj
def activate(settings: LocalSettings, model: str, version: int, reason: str) -> None:
    """Let VERSION of MODEL answer all requests, as soon as every replica holds it."""
    from deploy.local.stack import Stack
    from deploy.routes import activate as route
    from deploy.routes import check

    stack = Stack(settings)
    check(stack.registry, model, version)
    if stack.supervisor.running:
        stack.wait_loaded(model, version)
    route(settings.flotilla_home / "registry", model, version, reason)
    console.print(f"{model} is answered by version {version}.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def models(settings: LocalSettings, as_json: bool) -> None:
    """Show the published versions, the active one marked."""
    from deploy.catalogue import read_catalogue

    entries = read_catalogue(settings.flotilla_home / "registry")
    if as_json:
        click.echo(json.dumps([entry.as_json() for entry in entries]))
        return
    table = Table("model", "version", "", "created", "engine", "row", "outputs", "scores", box=None)
    for entry in entries:
        table.add_row(*entry.cells())
    console.print(table)


@main.command()
@click.argument("model")
@click.argument("row")
@click.option("--output", "outputs", multiple=True, help="E.g. predict_proba; may be repeated.")
@click.pass_obj
def predict(settings: LocalSettings, model: str, row: str, outputs: Sequence[str]) -> None:
    """Ask MODEL for the prediction of ROW, a row in JSON."""
    from deploy.ask import ask

    click.echo(ask(_stack(settings).url, model, row, outputs))


def _numbers(pairs: Sequence[str]) -> dict[str, float]:
    numbers = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            numbers[name] = float(number)
        except ValueError as error:
            raise Refused(f"--metric {pair}: expected NAME=NUMBER") from error
    return numbers
