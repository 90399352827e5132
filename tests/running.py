"""Programs that tests run: a command comes in, and the program is there while a context lasts."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.polling import PATIENCE_SECONDS, wait_until


@contextmanager
def running(command: Sequence[str], log: Path, answers: Callable[[], bool]) -> Iterator[None]:
    """Run a program once it answers; what it prints goes into `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_until(answers)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
