"""`python -m loadtest.checks`: whether a table of a load test can be true, by Little's law."""

import sys

import click

from loadtest.checks.table import check_table


@click.command()
@click.option("--users", type=click.FloatRange(0), required=True, help="Users at once.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    required=True,
    help="Seconds between a reply and the next request.",
)
@click.option(
    "--latency", type=click.FloatRange(0), default=0.0, help="Mean latency in seconds, if known."
)
@click.option("--rate", type=click.FloatRange(0), required=True, help="Requests a second, as claimed.")
def main(users: float, wait: float, latency: float, rate: float) -> None:
    """Say whether so many users can have sent so many requests; exit with 1 where they can't."""
    try:
        finding = check_table(users, wait, latency, rate)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    print(finding.text)
    sys.exit(finding.verdict == "refused")


if __name__ == "__main__":
    main()
