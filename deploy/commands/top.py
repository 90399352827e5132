"""The command that watches the stack on a terminal, for those without Grafana: top."""

from typing import TYPE_CHECKING

import click

from deploy.commands.console import console
from deploy.errors import Refused
from deploy.local.settings import LocalSettings

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.command()
@click.option("--model", help="Show this one alone.")
@click.option(
    "--every",
    "every_seconds",
    type=click.FloatRange(0.5, 3600),
    default=2.0,
    show_default=True,
    help="Seconds from one picture to the next.",
)
@click.option("--once", is_flag=True, help="Show one picture and end.")
@click.option("--json", "as_json", is_flag=True, help="For machines: the figures of now, once.")
@click.pass_obj
def top(
    settings: LocalSettings, model: str | None, every_seconds: float, once: bool, as_json: bool
) -> None:
    """Watch requests, versions, replicas and alerts on the terminal; q ends.

    The figures are Prometheus', of the last 30 seconds: what it hasn't got is a dash. Works with both
    stacks; PROMETHEUS_URL says where Prometheus is.
    """
    import msgspec

    from deploy.prometheus import Prometheus
    from deploy.top.live import watch
    from deploy.top.questions import read_figures
    from deploy.top.screen import render, render_problem

    prometheus = Prometheus(settings.prometheus)
    if as_json:
        click.echo(msgspec.json.encode(read_figures(prometheus, model)))
        return
    if once:
        console.print(render(read_figures(prometheus, model), console.width))
        return
    if not console.is_terminal:
        raise Refused("this is no terminal; flotilla top --once shows one picture, --json the figures")

    def paint() -> "RenderableType":
        try:
            return render(read_figures(prometheus, model), console.width, console.height)
        except Refused as problem:
            return render_problem(str(problem), prometheus.url, console.width)

    watch(console, paint, every_seconds)
