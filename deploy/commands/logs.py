"""The command that shows logs: of the local stack, or of whatever is piped in."""

import sys
from collections.abc import Sequence

import click

from deploy.errors import Refused
from deploy.local.settings import LocalSettings
from deploy.logs.entry import LEVELS

LINES = 20
PIPED = "-"


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0),
    help=f"Most lines of each log.  [default: {LINES}; with --request-id or --since all]",
)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option(
    "--request-id", default="", help="Only lines of this request (X-Request-ID), of all parts."
)
@click.option("--since", default="", help="Only lines of this time, as in 90s, 10m, 2h or 1d.")
@click.option(
    "--level", type=click.Choice(LEVELS), default=LEVELS[0], help="Only lines that are as bad as this."
)
@click.option("--json", "as_json", is_flag=True, help="For machines: each line is a JSON object.")
@click.pass_obj
def logs(
    settings: LocalSettings,
    names: Sequence[str],
    lines: int | None,
    follow: bool,
    request_id: str,
    since: str,
    level: str,
    as_json: bool,
) -> None:
    """Show the logs of the processes NAMES, by default of all but nginx's access log.

    With --request-id that one as well: it tells which replica was asked, and the replica's log why
    it failed.

    Where NAMES is - lines are read from standard input, as Docker writes them:

    docker compose logs --follow | flotilla logs --request-id 4f1c -
    """
    from deploy.logs import show
    from deploy.logs.sources import LogFolder, Piped
    from deploy.logs.wanted import Wanted, ago

    wanted = Wanted(request_id, ago(since) if since else 0.0, level)
    line_of = show.as_json if as_json else show.Lines().of
    if PIPED in names:
        if len(names) > 1 or follow or lines is not None:
            raise Refused("- stands alone: names, --follow and --lines are for `docker compose logs`")
        for batch in Piped(sys.stdin, wanted).batches():
            for entry in batch:
                click.echo(line_of(entry))
        return
    folder = LogFolder(settings.flotilla_home / "logs", names, wanted)
    most = lines if lines is not None else None if request_id or since else LINES
    try:
        for entry in folder.batch(most):
            click.echo(line_of(entry))
        for batch in folder.follow() if follow else ():
            for entry in batch:
                click.echo(line_of(entry))
    except KeyboardInterrupt:
        return
    finally:
        folder.close()
