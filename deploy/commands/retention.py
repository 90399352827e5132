"""The command that deletes old versions."""

import click

from deploy.commands.console import console
from deploy.local.settings import LocalSettings


@click.command()
@click.argument("model")
@click.option("--keep", type=click.IntRange(1), default=5, show_default=True, help="Newest versions.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.pass_obj
def prune(settings: LocalSettings, model: str, keep: int, dry_run: bool) -> None:
    """Delete old versions of MODEL, never one that its route names or that rollback would return to."""
    from deploy.routing.prune import prune as delete

    done = delete(settings.registry, model, keep, dry_run)
    verb = "would be deleted" if dry_run else "deleted"
    console.print(f"{model}: {', '.join(done.deleted) or 'nothing'} {verb}", markup=False)
    for version, why in sorted(done.kept.items(), key=lambda item: int(item[0])):
        console.print(f"  version {version} stays: {why}", markup=False)
    if done.abandoned:
        console.print(f"  {done.abandoned} folders of commands that were killed {verb}", markup=False)
