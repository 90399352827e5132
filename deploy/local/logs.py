"""Logs of the local stack: files of the supervised processes in, lines with their names out."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.errors import Refused
from deploy.local.supervisor import ticks

NOT_SHOWN = ("access",)  # a line for each request: ask for it by name


def show_logs(
    folder: Path, names: Sequence[str], lines: int, follow: bool, say: Callable[[str], None]
) -> None:
    """Show the last lines of each log, and with `follow` what comes after, until Ctrl-C."""
    paths = {each.stem: each for each in sorted(folder.glob("*.log"))}
    if unknown := [name for name in names if name not in paths]:
        raise Refused(f"no log of {', '.join(unknown)}; there are {', '.join(paths) or 'none'}")
    shown = {n: p for n, p in paths.items() if (n in names if names else n not in NOT_SHOWN)}
    places = {}
    for name, path in shown.items():
        with path.open(errors="replace") as file:
            for line in deque(file, maxlen=lines):
                say(f"{name:>12} | {line.rstrip()}")
            places[name] = file.tell()
    if not follow:
        return
    try:
        for _ in ticks(float("inf"), 0.3):
            for name, path in shown.items():
                if path.stat().st_size < places[name]:
                    places[name] = 0  # turned over
                with path.open(errors="replace") as file:
                    file.seek(places[name])
                    for line in file:
                        say(f"{name:>12} | {line.rstrip()}")
                    places[name] = file.tell()
    except KeyboardInterrupt:
        return
