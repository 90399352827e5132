"""The command that says how many replicas a target needs: plan."""

import click


@click.command()
def plan() -> None:
    """Say how many replicas, CPUs and GB a rate of requests needs, from the last study."""
