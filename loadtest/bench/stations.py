"""Where a replica's worker spends its time: py-spy samples it from outside, and files become stations.

In: a process id. Out: samples by station. `profile.py` calls it. https://github.com/benfred/py-spy
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.bench.processes import StartError

SAMPLES_PER_SECOND = 400
GRACE_SECONDS = 20
# Where the loop itself runs: this frame is innermost while uvloop waits, reads, or keeps its timers.
LOOP = ("ASGIWorker.run", "Runner.run")
LOOP_STATION = "uvloop and the kernel: waiting, receiving"


@dataclass
class Station:
    """A file's or package's samples, and those by function."""

    samples: int = 0
    functions: Counter[str] = field(default_factory=Counter)


@contextmanager
def sampling(pid: int, seconds: int, file: Path) -> Iterator[None]:
    """Sample a process while the context lasts, which is to be a little longer than `seconds`.

    Without pausing it, and without frames in C, which would need that: a worker that is stopped 400
    times a second isn't the one that serves. Threads that sleep aren't counted.
    """
    command = [
        str(Path(sys.executable).parent / "py-spy"),
        "record",
        "--pid",
        str(pid),
        "--nonblocking",
    ]
    command += ["--format", "raw", "--rate", str(SAMPLES_PER_SECOND)]
    command += ["--duration", str(seconds), "--output", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield
        said, _ = process.communicate(timeout=GRACE_SECONDS)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        last = said.strip().splitlines()[-1] if said.strip() else f"exit code {process.returncode}"
        raise StartError(f"py-spy can't look into the worker; it takes root, or CAP_SYS_PTRACE: {last}")


def stations(raw: str) -> dict[str, Station]:
    """Add up samples by the file of the innermost Python frame; the largest station first."""
    found: dict[str, Station] = {}
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        name, function = station_of(stack.rpartition(";")[2])
        station = found.setdefault(name, Station())
        station.samples += int(count)
        station.functions[function] += int(count)
    return dict(sorted(found.items(), key=lambda item: -item[1].samples))


def station_of(frame: str) -> tuple[str, str]:
    """Return the station and the function of a frame, `Class.function (package/file.py:12)`."""
    function, _, place = frame.partition(" (")
    path = place.partition(":")[0].rstrip(")")
    if function in LOOP:
        return LOOP_STATION, function
    if path.startswith("service/"):
        return path, function
    return path.partition("/")[0].removesuffix(".py"), function
