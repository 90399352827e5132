"""What all commands share: the console they print on, and the stack they are about."""

import sys
from typing import TYPE_CHECKING

from rich.console import Console

from deploy.errors import Refused
from deploy.local.settings import LocalSettings

if TYPE_CHECKING:
    from deploy.local.stack import Stack

# A pipe or a file has no width; a table in it shouldn't be folded to rich's 80 columns.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def find_stack(settings: LocalSettings, running: bool = True) -> "Stack":
    """Return the local stack; raise `Refused` where `running` and it doesn't run."""
    from deploy.local.stack import Stack  # slow to import, and not every command needs it

    stack = Stack(settings)
    if running and not stack.supervisor.running:
        raise Refused(f"no stack runs in {stack.home}; start it with: flotilla up")
    return stack
