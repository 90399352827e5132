"""The command line: `flotilla COMMAND`. Words come in, one of the other modules does the work.

Exit codes: 0 done, 1 refused with a sentence that says why, 2 wrong usage.
"""

import os
from typing import Any

import click

from deploy.commands.audit import audit
from deploy.commands.canary import canary
from deploy.commands.compare import compare
from deploy.commands.feedback import feedback
from deploy.commands.history import routes
from deploy.commands.logs import logs
from deploy.commands.models import models, predict, publish
from deploy.commands.plan import plan
from deploy.commands.report import report
from deploy.commands.retention import prune
from deploy.commands.routing import activate, promote, rollback, shadow, split
from deploy.commands.stack import down, scale, status, up
from deploy.commands.sweep import sweep
from deploy.commands.top import top
from deploy.errors import Refused
from deploy.local.settings import LocalSettings
from service.settings import SettingError


class Commands(click.Group):
    """Renders what can be put right as one sentence, and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (Refused, SettingError) as error:
            raise click.ClickException(str(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, by what they are about."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(str(each.name), each.get_short_help_str(MOST_CHARACTERS)) for each in commands]
                )


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="flotilla")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Serve scikit-learn models from many replicas behind one door."""
    ctx.obj = LocalSettings.read(os.environ)
    if ctx.invoked_subcommand not in {each.name for each in (*STACK, sweep)}:
        # Beside what serves. What STACK starts would keep it, and a sweep's generator would be late.
        os.nice(10)


STACK = (up, down, scale, status, logs)
SECTIONS = {
    "The stack without Docker": STACK,
    "Watching": (top, audit, feedback),
    "How much it takes": (sweep, report, plan),
    "Models": (publish, models, predict, compare, prune),
    "Which version answers": (activate, split, shadow, canary, promote, rollback, routes),
}
MOST_CHARACTERS = 90

for command in (each for commands in SECTIONS.values() for each in commands):
    main.add_command(command)
