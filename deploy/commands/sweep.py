"""The command that measures throughput as replicas are added: sweep."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from deploy.commands.console import console
from deploy.commands.installed import installed
from deploy.errors import Refused

if TYPE_CHECKING:
    from loadtest.study.study import Settings, Study
    from loadtest.sweep.stack import Stack

INTERRUPTED = 130  # as shells say it: 128 and SIGINT's number


def _counts(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    """Return numbers of replicas in order, each once."""
    words = [word.strip() for word in value.split(",")]
    if not all(word.isdecimal() and int(word) for word in words):
        raise click.BadParameter(f"{value!r}: expected numbers of replicas, as in 1,2,4,8")
    return tuple(sorted({int(word) for word in words}))


@click.command()
@click.option(
    "--replicas",
    callback=_counts,
    default="1,2,4",
    show_default=True,
    metavar="N,N,…",
    help="How many, in turn.",
)
@click.option("--model", default="digits-forest", show_default=True, help="Which one is asked.")
@click.option("--cpus", type=click.FloatRange(0.01), help="Quota of each replica, in containers.")
@click.option(
    "--objective-ms",
    type=click.FloatRange(0.1, 60_000),
    default=50.0,
    show_default=True,
    help="Within which 99 % of requests are to be answered.",
)
@click.option("--rows", type=click.IntRange(1, 4096), default=1, show_default=True, help="Per request.")
@click.option(
    "--shape",
    type=click.Choice(["unique", "repeats"]),
    default="unique",
    show_default=True,
    help="Whether requests are asked again, and caches answer.",
)
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=10.0, show_default=True, help="A run."
)
@click.option("--repetitions", type=click.IntRange(1, 100), default=3, show_default=True)
@click.option(
    "--connections", type=click.IntRange(1, 512), help="Per replica.  [default: what saturates]"
)
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="That ask.")
@click.option("--stack", "wanted", type=click.Choice(["docker", "local"]), help="Where both run.")
@click.option("--name", help="Of the study.  [default: model and time]")
@click.option("--results", type=click.Path(path_type=Path), help="Where studies are kept.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Go on with the newest study that isn't finished, or this one, by its own settings.",
)
@click.option("--no-report", is_flag=True, help="Leave the report to `flotilla report`.")
@click.option("--dry-run", is_flag=True, help="Say what would be measured and how long that takes.")
@click.option("--json", "as_json", is_flag=True, help="For machines: the figures, at the end.")
@click.pass_context
def sweep(ctx: click.Context, /, wanted: str | None, resume: str | None, **options: Any) -> None:
    """Measure throughput as replicas are added.

    For each number of replicas: how many requests a second they answer at most, and at how many that
    arrive at random 99 % are answered within the objective. Works on the stack that runs, in containers
    (compose project of this folder) or without, and leaves it as it was; Ctrl-C does as well.
    """
    with installed():
        from loadtest.study.folder import RESULTS
        from loadtest.sweep.stack import find_stack
        from loadtest.sweep.studies import unfinished_study

    shown = Console(stderr=True, highlight=False) if options["as_json"] else console
    results = options["results"] or RESULTS
    resumed = None if resume is None else unfinished_study(resume or None, results)
    stack = find_stack(wanted or (resumed[0].settings.stack if resumed else None), ctx.obj)
    try:
        done = _sweep(stack, resumed, results, options, shown)
    finally:
        stack.close()
    if not done:
        ctx.exit(INTERRUPTED)


def _sweep(
    stack: "Stack",
    resumed: "tuple[Study, Path] | None",
    results: Path,
    options: dict[str, Any],
    shown: Console,
) -> bool:
    """Measure and show it; tell whether that came to its end."""
    import msgspec

    from loadtest.payloads import make_payloads
    from loadtest.sweep.announce import announcement
    from loadtest.sweep.hardware import hardware
    from loadtest.sweep.instruments import real_instruments
    from loadtest.sweep.progress import Watch, remarks
    from loadtest.sweep.studies import check_resumable, new_study
    from loadtest.sweep.sweep import Sweep
    from loadtest.sweep.table import rows, table
    from service.manifest import read_manifest

    version = stack.version_folder(resumed[0].settings.model if resumed else options["model"])
    manifest = read_manifest(version)
    machine = hardware(stack, manifest.digest)
    if resumed:
        study, folder = resumed
        check_resumable(study, manifest.version, machine)
    else:
        settings = _settings(stack, manifest.version, options)
        study, folder = new_study(options["name"], settings, machine, results)
    for line in announcement(study, len(os.sched_getaffinity(0))):
        shown.print(line, soft_wrap=True, markup=False)
    if options["dry_run"]:
        return True
    shown.print(f"into {folder}; Ctrl-C ends it, with what there is", soft_wrap=True, markup=False)
    settings = study.settings
    payloads = make_payloads(version, rows=settings.rows, unique=settings.shape == "unique")
    with Watch(shown, study) as watch:
        done = Sweep(stack, study, folder, payloads, real_instruments(), watch).run()
    shown.print("", table(study))
    for line in remarks(study):
        shown.print(line, soft_wrap=True, markup=False)
    if not options["no_report"] and any(step.runs for step in study.steps):
        _report(study, folder, shown)
    if options["as_json"]:
        click.echo(msgspec.json.encode({"study": str(folder), "steps": list(rows(study))}))
    if not done:
        shown.print(f"Stopped; the stack is as it was. flotilla sweep --resume {study.name} goes on.")
    return done


def _settings(stack: "Stack", version: int, options: dict[str, Any]) -> "Settings":
    """Return what was asked for; raise `Refused` for what this stack can't do."""
    from loadtest.study.study import Settings

    if options["replicas"][-1] > stack.most_replicas:
        raise Refused(f"--replicas: this stack has {stack.most_replicas} at most")
    stack.check_limit(options["cpus"])
    return Settings(
        stack=stack.kind,
        model=options["model"],
        version=version,
        replicas=options["replicas"],
        cpus=options["cpus"],
        rows=options["rows"],
        shape=options["shape"],
        objective_seconds=options["objective_ms"] / 1e3,
        warmup_seconds=min(3.0, options["seconds"]),
        run_seconds=options["seconds"],
        repetitions=options["repetitions"],
        processes=options["processes"],
        connections=options["connections"],
    )


def _report(study: "Study", folder: Path, shown: Console) -> None:
    from loadtest.report import write_report

    for path in write_report(study, folder):
        if path.suffix == ".html":
            shown.print(f"The report: {path}", soft_wrap=True, markup=False)
