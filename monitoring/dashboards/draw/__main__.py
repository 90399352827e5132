"""Draws every dashboard, or those that are named, from a running Prometheus."""

import sys
import time
from pathlib import Path

import click

from monitoring.dashboards.__main__ import BOARDS, file_of
from monitoring.dashboards.draw.page import draw_dashboard
from monitoring.dashboards.draw.source import QueryError, Source, choose
from monitoring.dashboards.draw.spec import read
from monitoring.dashboards.draw.theme import DARK, LIGHT

NAMES = [file_of(board).stem for board in BOARDS]


@click.command()
@click.option(
    "--prometheus", "url", default="http://127.0.0.1:9090", help="Where it is.", show_default=True
)
@click.option("--minutes", default=5.0, help="How far back from now.", show_default=True)
@click.option("--until", default=0.0, help="Unix time at which pictures end, instead of now.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the PNGs.")
@click.option("--choose", "chosen", multiple=True, help="A variable's value, as in model=digits.")
@click.option("--light", is_flag=True, help="Dark on white, for print.")
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
def main(
    url: str,
    minutes: float,
    until: float,
    out: Path,
    chosen: tuple[str, ...],
    light: bool,
    names: tuple[str, ...],
) -> None:
    """Draw dashboards as PNGs and name the queries that give nothing."""
    out.mkdir(parents=True, exist_ok=True)
    source = Source(url, until or time.time(), round(minutes * 60))
    values = dict(each.split("=", 1) for each in chosen)
    for board in BOARDS:
        if names and file_of(board).stem not in names:
            continue
        dashboard = read(file_of(board))
        file = out / f"{file_of(board).stem}.png"
        try:
            empty = draw_dashboard(
                dashboard, choose(source, dashboard, values), LIGHT if light else DARK, file
            )
        except (QueryError, OSError) as error:
            sys.exit(f"{board.title}: {error}")
        print(file, *(f"  no data: {each}" for each in empty), sep="\n")


if __name__ == "__main__":
    main()
