"""Commands for models and their versions: publish, activate, models, predict."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from deploy.commands.console import console, find_stack
from deploy.errors import Refused
from deploy.local.settings import LocalSettings

if TYPE_CHECKING:
    from deploy.compile.choose import EngineChoice


@click.command()
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
@click.option(
    "--engine",
    type=click.Choice(["auto", "linear", "onnx", "sklearn"]),
    default="auto",
    show_default=True,
    help="auto: the fastest one that answers as scikit-learn does.",
)
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
    engine: "EngineChoice",
) -> None:
    """Write the next version of a model from the file MODEL (.skops, or .joblib with --trust).

    The first version of a model answers at once; for a later one: flotilla activate.
    """
    from deploy.commands.routing import change
    from deploy.publish import publish as write
    from deploy.rollout import Terms
    from deploy.route_changes import activated
    from deploy.routes import routed
    from deploy.sample import read_sample

    if trust:
        console.print("[yellow]Opening a pickle: it may run any code, on every replica too.[/]")
    registry = settings.registry
    manifest = write(
        registry,
        model,
        name,
        read_sample(sample),
        description=description,
        metrics=_numbers(metrics),
        trusted=trusted,
        trust_pickle=trust,
        engine=engine,
        say=lambda text: console.print(f"[dim]{text} …[/]"),
    )
    console.print(f"Published {name} version {manifest.version} ({manifest.digest[:12]}).")
    console.print(f"Its engine is {manifest.engine}: {escape(manifest.compilation.reason)}.")
    if routed(registry, name):
        console.print(f"To let it answer: flotilla activate {name} {manifest.version}")
    else:
        number = str(manifest.version)
        first = Terms(tried=True)
        change(settings, name, lambda current: activated(current, number), "publish", "", first)
        console.print(f"It answers at /v1/models/{name}:predict.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def models(settings: LocalSettings, as_json: bool) -> None:
    """Show the published versions, and the share of requests that each gets."""
    from deploy.cache_report import cache_uses
    from deploy.catalogue import read_catalogue

    entries = read_catalogue(settings.registry)
    uses = cache_uses(settings, sorted({entry.model for entry in entries if entry.active}))
    if as_json:
        caches = {model: {u.replica: u.words for u in uses if u.model == model} for model, *_ in uses}
        said = [{**e.as_json(), "cache": caches.get(e.model, {}) if e.active else {}} for e in entries]
        click.echo(json.dumps(said))
        return
    table = Table(
        "model", "version", "route", "created", "engine", "row", "outputs", "scores", box=None
    )
    for entry in entries:
        table.add_row(*entry.cells())
    console.print(table)
    if uses:
        table = Table("model", "replica", "look-ups in Redis", box=None)
        for use in uses:
            table.add_row(*use)
        console.print("", table)


@click.command()
@click.argument("model")
@click.argument("row")
@click.option("--output", "outputs", multiple=True, help="E.g. predict_proba; may be repeated.")
@click.pass_obj
def predict(settings: LocalSettings, model: str, row: str, outputs: Sequence[str]) -> None:
    """Ask MODEL for the prediction of ROW, a row in JSON."""
    from deploy.ask import ask

    click.echo(ask(find_stack(settings).url, model, row, outputs))


def _numbers(pairs: Sequence[str]) -> dict[str, float]:
    numbers = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            numbers[name] = float(number)
        except ValueError as error:
            raise Refused(f"--metric {pair}: expected NAME=NUMBER") from error
    return numbers
