"""The command that shows a study as a page, plots and tables: report."""

import click


@click.command()
def report() -> None:
    """Write a study's report, or compare two studies."""
