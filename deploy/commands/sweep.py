"""The command that measures throughput as replicas are added: sweep."""

import click


@click.command()
def sweep() -> None:
    """Measure throughput as replicas are added."""
