"""A version on trial: opened and warmed up in a process of its own, before any replica is asked to.

`python -m deploy.trial FOLDER` is that process. What crashes, hangs or eats the memory there does so where
nobody is served.
"""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.errors import Refused
from service.manifest import BrokenVersion
from service.version import load_version

REFUSED = 10


def try_version(folder: Path, seconds: float) -> None:
    """Raise `Refused` with the reason where the version in `folder` can't be opened within `seconds`."""
    name = f"{folder.parent.name} version {folder.name} can't be served"
    command = [sys.executable, "-m", "deploy.trial", str(folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False
        )  # our own module
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{name}: it wasn't loaded within {seconds:g} s") from error
    last = (done.stderr.strip().splitlines() or [""])[-1]
    if done.returncode == REFUSED:
        raise Refused(f"{name}: {last}")
    if done.returncode < 0:
        raise Refused(
            f"{name}: loading it ended the process with {signal.Signals(-done.returncode).name}: "
            "a library crashed, or there is too little memory"
        )
    if done.returncode:
        raise Refused(f"{name}: loading it ended the process with exit code {done.returncode}: {last}")


def main() -> None:
    """Open the version in the folder that is named on the command line."""
    try:
        load_version(Path(sys.argv[1]))
    except BrokenVersion as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
    except Exception as error:  # whatever a user's model raises
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
