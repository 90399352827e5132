"""Who is told how a sweep goes on: `progress.py` shows it, tests note it."""

from typing import Protocol

from loadtest.study.study import Run, Step


class Watcher(Protocol):
    """Who is told how a sweep goes on."""

    def say(self, text: str) -> None:
        """Hear what is being done."""

    def began(self, step: Step) -> None:
        """Hear that a step begins."""

    def runs(self, step: Step, text: str) -> None:
        """Hear that a run begins, and which."""

    def finished(self, step: Step, run: Run) -> None:
        """Hear of a run that was measured."""

    def ended(self, step: Step) -> None:
        """Hear that a step has ended, complete or not."""
