"""Commands that change versions while users run: `--update-command`, one after the other, in turns."""

import itertools
import logging
import shlex
import time
from collections.abc import Sequence

import gevent  # type: ignore[import-untyped]
from gevent import subprocess

logger = logging.getLogger(__name__)


class Updates:
    """Runs the commands until it is stopped; `failures` has a sentence for each that failed."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._running: gevent.Greenlet | None = None

    def start(self, commands: Sequence[str], pause_seconds: float) -> None:
        """Begin with the first one after a pause; do nothing without commands."""
        self.stop()
        self.failures.clear()
        if commands:
            self._running = gevent.spawn(self._run, commands, pause_seconds)

    def stop(self) -> None:
        """Run no more of them; one that runs goes on by itself."""
        if self._running is not None:
            self._running.kill()
        self._running = None

    def _run(self, commands: Sequence[str], pause_seconds: float) -> None:
        for command in itertools.cycle(commands):
            gevent.sleep(pause_seconds)
            began = time.perf_counter()
            if reason := _failure(command):
                self.failures.append(f"{command}: {reason}")
                logger.error("%s: %s", command, reason)
            else:
                logger.info("%s: done in %.1f s", command, time.perf_counter() - began)


def _failure(command: str) -> str | None:
    """Run a command, without a shell; return why it failed, None where it didn't."""
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        return str(error.strerror)
    said = done.stdout.decode(errors="replace").strip().splitlines()
    return f"exit code {done.returncode}: {said[-1] if said else ''}" if done.returncode else None
