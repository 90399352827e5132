"""The command that shows routes: which versions answer now, and what was before."""

import json
from typing import TYPE_CHECKING

import click
import msgspec
from rich.markup import escape
from rich.table import Table

from deploy.commands.console import console
from deploy.errors import Refused
from deploy.local.settings import LocalSettings

if TYPE_CHECKING:
    from service.versions.route import Route


@click.command()
@click.argument("model", required=False)
@click.option(
    "-n", "--last", type=click.IntRange(1), default=10, show_default=True, help="Routes of each model."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def routes(settings: LocalSettings, model: str | None, last: int, as_json: bool) -> None:
    """Show the route of MODEL, or of all models, and the ones before it."""
    from deploy.routing.generations import current_route, history
    from service.versions.route import ROUTES

    shelves = [
        each for each in sorted((settings.registry / ROUTES).glob("*")) if model in (None, each.name)
    ]
    shown = [(shelf, current_route(shelf)) for shelf in shelves if current_route(shelf)]
    if not shown and model:
        raise Refused(f"no model {model!r} has a route in {settings.registry}")
    entries = []
    for shelf, current in shown:
        for number, route in sorted(history(shelf).items(), reverse=True)[:last]:
            entries.append((shelf.name, number, bool(current and current[0] == number), route))
    if as_json:
        click.echo(
            json.dumps(
                [
                    {"model": name, "number": number, "active": active, **msgspec.to_builtins(route)}
                    for name, number, active, route in entries
                ]
            )
        )
        return
    table = Table(
        "model", "route", "", "versions", "shadow", "edge", "since", "who", "how", "why", box=None
    )
    for name, number, active, route in entries:
        mark = "active" if active else ""
        cells = map(escape, _cells(route))  # somebody's reason may have brackets
        table.add_row(name, str(number), mark, *cells, style="" if active else "dim")
    console.print(table)


def _cells(route: "Route") -> tuple[str, ...]:
    versions = [f"{version}: {share:g} %" for version, share in route.weights.items()]
    versions += [f"{key} → {version}" for key, version in route.pins.items()]
    since = route.time[:19].replace("T", " ")
    edge = "on" if route.edge_cache else "off"
    return (", ".join(versions), route.shadow, edge, since, route.user, route.command, route.reason)
