"""A version on trial: opened and warmed up in a process of its own, before any replica is asked to.

`python -m deploy.routing.trial FOLDER` is that process. What crashes, hangs or eats the memory there
does so where nobody is served.
"""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.errors import Refused
from service.manifest import BrokenVersion
from service.version import load_version

# Exit codes of the process. Not 0: a model that ends it in an orderly way has not been loaded.
LOADED, REFUSED = 10, 11


def try_version(folder: Path, seconds: float) -> None:
    """Raise `Refused` with the reason where the version in `folder` can't be opened in `seconds`."""
    name = f"{folder.parent.name} version {folder.name} can't be served"
    command = ["nice", "-n", "15", sys.executable, "-m", "deploy.routing.trial", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{name}: it wasn't loaded within {seconds:g} s") from error
    if done.returncode == LOADED:
        return
    said = done.stderr.decode(errors="replace").strip()  # whatever bytes the model's library wrote
    last = (said.splitlines() or ["it said nothing"])[-1]
    if done.returncode == REFUSED:
        raise Refused(f"{name}: {last}")
    if done.returncode < 0:
        raise Refused(
            f"{name}: loading it ended the process with {signal.Signals(-done.returncode).name}: "
            "a library crashed, or there is too little memory"
        )
    raise Refused(f"{name}: loading it ended the process with exit code {done.returncode}: {last}")


def main() -> None:
    """Open the version in the folder that is named on the command line."""
    try:
        load_version(Path(sys.argv[1]))
    except Exception as error:  # whatever a user's model raises
        reason = str(error) if isinstance(error, BrokenVersion) else f"{type(error).__name__}: {error}"
        print(" ".join(reason.split()), file=sys.stderr)  # the last line is what is read
        sys.exit(REFUSED)
    sys.exit(LOADED)


if __name__ == "__main__":
    main()
