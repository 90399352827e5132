"""The command that adds up what nginx and the replicas have counted: audit."""

import time
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table

from deploy.commands.console import console

if TYPE_CHECKING:
    from deploy.audit.audit import Audit
    from deploy.audit.books import Book
    from deploy.audit.checks import Finding

_STYLES = {"ok": "green", "explained": "yellow", "differs": "red"}
_STATES = {"live": "live", "ended": "ended", "silent": "ended without last words"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def audit(ctx: click.Context, as_json: bool) -> None:
    """Check that every request and row has been counted once, by nginx and by the replicas.

    Requests at the door are those of the edge cache, of the replicas and of nginx itself; what nginx
    has replies of is what replicas say they answered, also those that have ended; and for each row
    answered the cache did one thing. A quiet stack is compared exactly, one with traffic between two
    looks.

    All counts begin with the stack: `flotilla down` (or `docker compose down`) and up begins them anew.
    A replica that is killed leaves no last words, so what it has counted is missing: that is
    "explained", not proved. In containers: docker compose run --rm flotilla audit.

    Exits with 1 where something differs.
    """
    import msgspec

    from deploy.audit.audit import audit as look

    found = look(ctx.obj)
    if as_json:
        click.echo(msgspec.json.encode(summary(found)))
    else:
        show(found)
    ctx.exit(int(found.verdict == "differs"))


def summary(found: "Audit") -> dict[str, object]:
    """Return an audit for machines."""
    door = found.door
    return {
        "verdict": found.verdict,
        "quiet": found.quiet,
        "began": door.began,
        "requests": {"door": door.requests.total(), **door.requests},
        "attempts": dict(door.attempts),
        "replicas": [
            {
                "replica": book.replica,
                "state": book.state,
                "started": book.started,
                "requests": book.requests.total(),
                "rows": book.rows.total(),
                "cache_rows": book.cache_rows.total(),
            }
            for book in found.replicas
        ],
        "findings": found.findings,
    }


def show(found: "Audit") -> None:
    """Print an audit: what nginx counted, what each replica did, and what adds up."""
    door = found.door
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(door.began))
    sources = " + ".join(
        f"{source} {door.requests[source]:,}" for source in ("edge", "replica", "nginx")
    )
    console.print(f"Requests at the door since {began}: {door.requests.total():,} = {sources}")
    asked = [f"{count:,} {result}" for result, count in sorted(door.attempts.items()) if count]
    console.print(f"Of what nginx asked replicas: {', '.join(asked) or 'nothing'}")
    replicas = Table("replica", "state", "requests", "rows", box=None)
    for book in sorted(found.replicas, key=lambda book: (book.replica, book.started)):
        replicas.add_row(*_book(book))
    console.print("", replicas)
    findings = Table("what should add up", "expected", "found", "", "", box=None)
    for each in found.findings:
        findings.add_row(*_finding(each))
    console.print("", findings, "")
    console.print(_verdict(found), soft_wrap=True)


def _book(book: "Book") -> tuple[str, ...]:
    counts = (book.requests.total(), book.rows.total())
    shown = ("?", "?") if book.state == "silent" else tuple(f"{count:,}" for count in counts)
    return (escape(book.replica), _STATES[book.state], *shown)


def _finding(each: "Finding") -> tuple[str, ...]:
    expected = f"{each.low:,}" if each.low == each.high else f"{each.low:,} to {each.high:,}"
    verdict = f"[{_STYLES[each.verdict]}]{each.verdict}[/]"
    return escape(each.what), expected, f"{each.found:,}", verdict, escape(each.why)


def _verdict(found: "Audit") -> str:
    if found.verdict == "differs":
        return "The counts don't add up."
    how = "exactly" if found.quiet else "as far as can be told with traffic"
    if found.verdict == "explained":
        return "The counts add up but for what replicas took with them that were killed."
    return f"The counts add up, {how}."
